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
