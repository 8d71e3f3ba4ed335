-- The schedules need pg_cron and pg_net, their credentials Vault; hosted projects have all three.
create extension if not exists pg_cron with schema pg_catalog;
create extension if not exists pg_net with schema extensions;
create extension if not exists supabase_vault with schema vault;
-- Helpers that no API role calls: outside public, so that the REST API does not expose them.
create schema if not exists postloop;
comment on schema postloop is 'Internal helpers of Postloop; not exposed through the API.';
revoke all on schema postloop from public;
grant usage on schema postloop to service_role;
