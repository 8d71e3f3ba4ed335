-- Last, so that no job runs before everything it needs is there.
select cron.schedule(jobname, schedule, command) from postloop.cron_jobs order by jobname;
