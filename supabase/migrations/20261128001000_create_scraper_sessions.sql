-- Scrapers that run at the same time share X's limits, so what each session has used is kept here.
create table public.scraper_operation_budgets (
  operation text primary key,
  per_session integer not null,
  per_guest integer not null,
  constraint budgets_are_not_negative check (per_session >= 0 and per_guest >= 0)
);
comment on table public.scraper_operation_budgets is 'Calls of an operation that one reader may make in 15 minutes before X refuses.';
comment on column public.scraper_operation_budgets.per_guest is '0 where X answers logged-in readers only.';

insert into public.scraper_operation_budgets (operation, per_session, per_guest) values
  ('UserByScreenName', 95, 50),
  ('UserTweets', 50, 50),
  ('TweetDetail', 50, 0),
  ('TweetResultByRestId', 50, 50),
  ('TweetActivityQuery', 50, 0);

create table public.scraper_session_budgets (
  session text not null,
  operation text not null references public.scraper_operation_budgets (operation),
  window_starts_at timestamptz not null,
  used integer not null default 0,
  blocked_until timestamptz,
  primary key (session, operation),
  constraint session_is_a_label check (session ~ '^(guest|[0-9a-f]{16})$'),
  constraint used_is_not_negative check (used >= 0)
);
comment on table public.scraper_session_budgets is 'What a session has used of an operation in the running 15 minutes. The session is a hash: no cookie is stored.';
comment on column public.scraper_session_budgets.blocked_until is 'X said that it refuses until then.';
create index scraper_session_budgets_operation_idx on public.scraper_session_budgets (operation);

create table public.scraper_sessions (
  session text primary key,
  outcome text not null references public.read_outcomes (outcome),
  reported_at timestamptz not null,
  constraint session_is_a_label check (session ~ '^[0-9a-f]{16}$')
);
comment on table public.scraper_sessions is 'Sessions whose cookies X has refused; they are not tried again.';
create index scraper_sessions_outcome_idx on public.scraper_sessions (outcome);

-- One session that may make one call of each operation now; what it takes is booked at once.
create function public.reserve_session(p_sessions text[], p_operations text[], p_now timestamptz)
returns jsonb
language plpgsql
-- as its owner, for the role of the scraper may touch no table
security definer
set search_path = ''
as $$
declare
  v_window timestamptz := date_bin('15 minutes', p_now, timestamptz '2000-01-01 00:00:00+00');
  v_session text;
  v_retry_at timestamptz;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('postloop.sessions', 0));

  with budget as (
    select c.session, c.preference, o.operation,
      case when c.session = 'guest' then o.per_guest else o.per_session end as allowed,
      case when b.window_starts_at = v_window then b.used else 0 end as used,
      case when s.session is not null then timestamptz 'infinity' else b.blocked_until end as blocked_until
    from unnest(p_sessions) with ordinality c(session, preference)
    cross join public.scraper_operation_budgets o
    left join public.scraper_session_budgets b on b.session = c.session and b.operation = o.operation
    left join public.scraper_sessions s on s.session = c.session
    where o.operation = any (p_operations)
  ), reader as (
    select b.session, min(b.preference) as preference,
      bool_and(b.used < b.allowed and coalesce(b.blocked_until <= p_now, true)) as is_free,
      bool_and(b.allowed > 0) as may,
      min(b.allowed - b.used) as remaining,
      greatest(max(b.blocked_until),
        case when bool_or(b.used >= b.allowed) then v_window + interval '15 minutes' end) as free_at
    from budget b
    group by b.session
  )
  select
    (select r.session from reader r where r.is_free
     order by r.session = 'guest', r.remaining desc, r.preference limit 1),
    (select min(r.free_at) from reader r where r.may)
    into v_session, v_retry_at;

  if v_session is null then
    return jsonb_build_object('code', 'exhausted', 'retry_at',
      -- a session that X refuses for good never comes back by itself: look again tomorrow
      least(coalesce(v_retry_at, p_now + interval '1 day'), p_now + interval '1 day'));
  end if;

  insert into public.scraper_session_budgets as b (session, operation, window_starts_at, used)
  select v_session, operation, v_window, 1 from unnest(p_operations) operation
  on conflict (session, operation) do update
  set used = case when b.window_starts_at = v_window then b.used + 1 else 1 end,
      window_starts_at = v_window;
  return jsonb_build_object('code', 'reserved', 'session', v_session);
end
$$;
comment on function public.reserve_session is
  'Books one call of each operation for the session with most left of the given ones, guests last; {code: exhausted, retry_at} when none may.';

create function public.report_session(p_session text, p_operation text, p_outcome text,
  p_retry_at timestamptz, p_now timestamptz)
returns jsonb
language plpgsql
-- as its owner, for the role of the scraper may touch no table
security definer
set search_path = ''
as $$
begin
  if p_outcome = 'rate_limited' or p_session = 'guest' then
    -- a guest has no cookies to be bad: what X refuses it is one operation, and that for now
    insert into public.scraper_session_budgets as b (session, operation, window_starts_at, blocked_until)
    select p_session, o.operation, p_now, coalesce(p_retry_at, p_now + interval '15 minutes')
    from public.scraper_operation_budgets o where o.operation = p_operation
    on conflict (session, operation) do update
    set blocked_until = greatest(b.blocked_until, excluded.blocked_until);
  else
    -- bad cookies stay bad until they are replaced, and then have another label
    insert into public.scraper_sessions (session, outcome, reported_at)
    values (p_session, p_outcome, p_now)
    on conflict (session) do update
    set outcome = excluded.outcome, reported_at = excluded.reported_at;
  end if;
  return jsonb_build_object('code', 'reported');
end
$$;
comment on function public.report_session is
  'Tells the other scrapers what a session met: rate_limited blocks one operation until X''s reset, as any refusal of the guest does for 15 minutes; anything else blocks the session.';

alter table public.scraper_operation_budgets enable row level security;
alter table public.scraper_session_budgets enable row level security;
alter table public.scraper_sessions enable row level security;

revoke all on
  public.scraper_operation_budgets, public.scraper_session_budgets, public.scraper_sessions
  from public, anon, authenticated, service_role;
grant select, update on public.scraper_operation_budgets to service_role;
grant select, insert, update on public.scraper_session_budgets, public.scraper_sessions to service_role;
revoke all on function
  public.reserve_session, public.report_session
  from public, anon, authenticated, service_role;
grant execute on function public.reserve_session, public.report_session to service_role;
grant execute on function public.reserve_session, public.report_session to scraper;
