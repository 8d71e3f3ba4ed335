-- pg_net without its background worker: the same names, columns and signatures, so that migrations
-- run unchanged. local/stack/scheduler.ts sends what is in net.http_request_queue.

create schema net;

create domain net.http_method as text
  check (value ilike 'get' or value ilike 'post' or value ilike 'delete');

create unlogged table net.http_request_queue (
  id bigserial primary key,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index _http_response_created_idx on net._http_response (created);

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
create type net.http_response as (status_code integer, headers jsonb, body text);
create type net.http_response_result as (
  status net.request_status,
  message text,
  response net.http_response
);

create function net._urlencode_string(string text) returns text
language sql immutable strict set search_path = '' as $$
  select string_agg(
    case
      when ch ~ '[A-Za-z0-9_.~-]' then ch
      else regexp_replace(upper(encode(convert_to(ch, 'UTF8'), 'hex')), '(..)', '%\1', 'g')
    end,
    '' order by place
  )
  from regexp_split_to_table(string, '') with ordinality as characters (ch, place)
$$;

create function net._queue(
  method text,
  url text,
  params jsonb,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer
) returns bigint
language sql security definer set search_path = '' as $$
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  select method,
    url || coalesce(
      case when strpos(url, '?') > 0 then '&' else '?' end || (
        select string_agg(
          net._urlencode_string(p.key) || '=' || net._urlencode_string(p.value), '&'
        )
        from jsonb_each_text(params) p
      ),
      ''
    ),
    headers, body, timeout_milliseconds
  returning id
$$;

create function net.http_get(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds integer default 5000
) returns bigint
language sql set search_path = '' as $$
  select net._queue('GET', url, params, headers, null, timeout_milliseconds)
$$;

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds integer default 5000
) returns bigint
language plpgsql set search_path = '' as $$
declare
  content_type text;
begin
  select h.value into content_type
  from jsonb_each_text(coalesce(headers, '{}')) h
  where lower(h.key) = 'content-type';
  if content_type is null then
    headers := coalesce(headers, '{}') || '{"Content-Type": "application/json"}';
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  return net._queue(
    'POST', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  );
end
$$;

create function net.http_delete(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds integer default 5000,
  body jsonb default null
) returns bigint
language sql set search_path = '' as $$
  select net._queue(
    'DELETE', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
$$;

create function net._http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language sql security definer set search_path = '' as $$
  select case
    when r.id is null then
      row('PENDING', 'request is pending processing', null)::net.http_response_result
    when r.error_msg is not null then
      row('ERROR', r.error_msg, null)::net.http_response_result
    else
      row('SUCCESS', 'ok', row(r.status_code, r.headers, r.content)::net.http_response)
        ::net.http_response_result
  end
  from (select request_id) asked
  left join net._http_response r on r.id = asked.request_id
$$;

create function net.http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language sql set search_path = '' as $$ select net._http_collect_response(request_id, async) $$;

-- The worker outside polls: there is nobody to wake or to restart.
create function net.wake() returns void language sql as $$ select null::void $$;
create function net.worker_restart() returns boolean language sql as $$ select true $$;

grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;
