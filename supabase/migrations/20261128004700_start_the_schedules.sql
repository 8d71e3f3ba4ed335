-- Last, so that no job runs before everything it needs is there.
select postloop.schedule_jobs();
