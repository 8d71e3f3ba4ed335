-- Least rights for the Lambda: it may claim, record and share sessions, and read no table.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'scraper') then
    create role scraper nologin noinherit;
  end if;
end
$$;
grant scraper to authenticator;
grant usage on schema public to scraper;

-- As their owner, because the role itself may touch no table.
alter function public.claim_reads(timestamptz, integer, integer) security definer;
alter function public.record_reads(uuid, jsonb, timestamptz) security definer;
alter function public.reserve_session(text[], text[], timestamptz) security definer;
alter function public.report_session(text, text, text, timestamptz, timestamptz) security definer;
grant execute on function public.claim_reads(timestamptz, integer, integer),
  public.record_reads(uuid, jsonb, timestamptz),
  public.reserve_session(text[], text[], timestamptz),
  public.report_session(text, text, text, timestamptz, timestamptz) to scraper;
