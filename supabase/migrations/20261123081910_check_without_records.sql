-- plpgsql_check cannot follow a record that dynamic SQL fills: the rows of a check are returned as they come.
create or replace function public.check_pipeline(p_now timestamptz)
returns table (name text, status text, measured text, threshold text, since timestamptz, what_to_do text)
language plpgsql
set search_path = ''
set statement_timeout = '30s'
as $$
declare
  v_check text;
begin
  for v_check in select c.check_name from postloop.checks c order by c.position loop
    -- A check that cannot be made is itself a failure, and must not hide the others.
    begin
      return query execute format(
        'select k.name, k.status, k.measured, k.threshold,
           case when s.status = k.status then s.since else $1 end, k.what_to_do
         from postloop.%I($1) k left join public.invariant_states s on s.name = k.name', 'check_' || v_check)
        using p_now;
    exception when others then
      name := v_check;
      status := 'failing';
      measured := format('the check itself failed: %s', sqlerrm);
      threshold := 'can be checked';
      since := coalesce((
        select s.since from public.invariant_states s where s.name = v_check and s.status = 'failing'), p_now);
      what_to_do := 'Apply every migration (supabase db push); if that does not help, the message names what is missing.';
      return next;
    end;
  end loop;
end
$$;
