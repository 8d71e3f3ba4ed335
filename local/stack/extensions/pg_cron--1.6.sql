-- pg_cron without its background worker: the same names, columns and signatures as pg_cron 1.6, so
-- that migrations run unchanged. local/stack/scheduler.ts reads cron.job and fires what is due.

create schema cron;

create sequence cron.jobid_seq;
create sequence cron.runid_seq;

create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default inet_server_port(),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);

create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);

-- As in pg_cron, each user sees the own jobs and runs only; jobs change through functions.
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
grant select on cron.job to public;

alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);
grant select, delete on cron.job_run_details to public;

-- The public functions run as their caller and pass who that is; this one may write the table.
create function cron._put_job(
  owner_name text,
  job_name text,
  schedule text,
  command text,
  database text,
  active boolean
) returns bigint
language plpgsql security definer set search_path = '' as $$
declare
  id bigint;
begin
  if schedule !~* '^\s*(\S+\s+){4}\S+\s*$'
    and schedule !~* '^\s*[1-5]?[0-9] seconds?\s*$'
    and schedule !~* '^\s*@(yearly|annually|monthly|weekly|daily|midnight|hourly)\s*$'
  then
    raise exception 'invalid schedule: %', schedule
      using hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;
  insert into cron.job (jobname, schedule, command, database, username, active)
  values (job_name, schedule, command, database, owner_name, active)
  on conflict on constraint jobname_username_uniq do update
    set schedule = excluded.schedule,
        command = excluded.command,
        database = excluded.database,
        active = excluded.active
  returning jobid into id;
  return id;
end
$$;

create function cron._drop_job(owner_name text, job_id bigint, job_name text) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  delete from cron.job j
  where j.username = owner_name and (j.jobid = job_id or j.jobname = job_name);
  if not found then
    raise exception 'could not find valid entry for job ''%''', coalesce(job_name, job_id::text);
  end if;
  return true;
end
$$;

create function cron._change_job(
  owner_name text,
  job_id bigint,
  new_schedule text,
  new_command text,
  new_database text,
  new_username text,
  new_active boolean
) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update cron.job j
  set schedule = coalesce(new_schedule, j.schedule),
      command = coalesce(new_command, j.command),
      database = coalesce(new_database, j.database),
      username = coalesce(new_username, j.username),
      active = coalesce(new_active, j.active)
  where j.jobid = job_id and j.username = owner_name;
  if not found then
    raise exception 'Job % does not exist or you don''t own it', job_id;
  end if;
end
$$;

create function cron.schedule(job_name text, schedule text, command text) returns bigint
language sql as $$
  select cron._put_job(current_user::text, job_name, schedule, command, current_database(), true)
$$;

create function cron.schedule(schedule text, command text) returns bigint
language sql as $$
  select cron._put_job(current_user::text, null, schedule, command, current_database(), true)
$$;

create function cron.schedule_in_database(
  job_name text,
  schedule text,
  command text,
  database text,
  username text default null,
  active boolean default true
) returns bigint
language sql as $$
  select cron._put_job(
    coalesce(username, current_user::text), job_name, schedule, command, database, active
  )
$$;

create function cron.unschedule(job_id bigint) returns boolean
language sql as $$ select cron._drop_job(current_user::text, job_id, null) $$;

create function cron.unschedule(job_name text) returns boolean
language sql as $$ select cron._drop_job(current_user::text, null, job_name) $$;

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
) returns void
language sql as $$
  select cron._change_job(
    current_user::text, job_id, schedule, command, database, username, active
  )
$$;

-- What a hosted project grants once the extension is there.
do $$
begin
  if exists (select from pg_catalog.pg_roles where rolname = 'postgres') then
    grant usage on schema cron to postgres with grant option;
    grant all on cron.job_run_details to postgres with grant option;
  end if;
end
$$;
