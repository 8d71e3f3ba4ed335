-- What the first system knew is told apart row by row: what can be used, what cannot, and why.
create table postloop.upgraded_rows (
  id bigint generated always as identity primary key,
  source text not null,
  place tid not null,
  key text not null,
  result text not null,
  reason text,
  constraint result_is_known check (result in ('linked', 'kept', 'changed', 'marked', 'set_aside')),
  constraint all_but_kept_rows_say_why check (result in ('linked', 'kept') or reason is not null)
);
comment on table postloop.upgraded_rows is 'What became of each row of the first system: one row for each row of first_system.';
comment on column postloop.upgraded_rows.source is 'The table in the schema first_system.';
comment on column postloop.upgraded_rows.place is 'The ctid of the row in that table.';
comment on column postloop.upgraded_rows.key is 'Post id, post id and phase, decision id or id, as the old row had it.';
comment on column postloop.upgraded_rows.result is
  'kept; linked (kept, a post with its decision); changed (kept, but a value of it could not be); marked (kept as suspect, used nowhere); set_aside (in first_system only).';
create index upgraded_rows_result_idx on postloop.upgraded_rows (source, result);

create table postloop.imported_accounts (
  account_id bigint primary key references public.x_accounts (id) on delete cascade,
  imported_at timestamptz not null,
  named_at timestamptz
);
comment on table postloop.imported_accounts is 'The account that owns what was imported. The first system did not know whose posts it had.';
comment on column postloop.imported_accounts.named_at is 'When it got its real handle; nothing of it is read before.';

create view public.upgrade_report with (security_invoker = on) as
  select u.source, u.result, u.reason, count(*) as rows, min(u.key) as example
  from postloop.upgraded_rows u
  group by u.source, u.result, u.reason
  order by u.source, count(*) desc, u.result, u.reason;
comment on view public.upgrade_report is
  'What became of the first system''s rows, by table, result and reason; the rows of a table add up to all that it had.';

-- The rows of an old table, whatever its columns are; none when there is no such table.
create function postloop.first_system_rows(p_table text)
returns table (place tid, old jsonb)
language plpgsql
stable
-- more than the default of 1000, or the planner joins 100,000 rows in nested loops
rows 100000
set search_path = ''
as $$
begin
  if exists (
    select from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'first_system' and c.relname = p_table and c.relkind in ('r', 'p')
  ) then
    for place, old in execute format(
      'select old_row.ctid, to_jsonb(old_row) from first_system.%I old_row', p_table)
    loop
      return next;
    end loop;
  end if;
end
$$;
comment on function postloop.first_system_rows is
  'The rows of a table of the first system as jsonb, so that every shape of it can be read.';

create function postloop.old_count(p_text text)
returns bigint
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when p_text ~ '^[0-9]+$' and length(p_text) <= 18 then p_text::bigint
    when p_text ~ '^\s*[+-]?[0-9]{1,18}(\.0*)?\s*$' then trunc(p_text::numeric)::bigint
  end;
end
$$;
comment on function postloop.old_count is
  'A count as the first system may have stored it, negative ones too; null for what is no whole number.';

create function postloop.old_moment(p_text text)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
declare
  c_first_post constant timestamptz := timestamptz '2006-03-21 00:00:00+00';
  v_text text := btrim(p_text);
  v_at timestamptz;
begin
  if v_text like '____-__-__ __:__%' or v_text like '____-__-__T__:__%' then
    -- after the minutes, a letter or sign that says which zone
    v_at := (v_text || case when substr(v_text, 17) ~ '[-+A-Z]' then '' else 'Z' end)::timestamptz;
  elsif v_text ~ '^[0-9]{10}(\.[0-9]+)?$' then
    v_at := to_timestamp(v_text::double precision);
  elsif v_text ~ '^[0-9]{13}$' then
    v_at := to_timestamp(v_text::double precision / 1000);
  end if;
  return case when v_at >= c_first_post then v_at end;
exception when data_exception then
  return null;
end
$$;
comment on function postloop.old_moment is
  'A moment from ISO 8601 text (UTC unless it says otherwise) or a Unix time in seconds or milliseconds; null for anything else, and for what is before the first post on X.';

create function postloop.old_post_id(p_old jsonb)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_tweet_id text := btrim(p_old ->> 'tweet_id');
  v_post_id text := btrim(p_old ->> 'post_id');
begin
  return case
    when v_tweet_id ~ '^[0-9]{1,20}$' then v_tweet_id
    when v_post_id ~ '^[0-9]{1,20}$' then v_post_id
  end;
end
$$;
comment on function postloop.old_post_id is
  'The id of the post that an old row is about; null when it names none.';

create function postloop.old_decision_id(p_text text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_text text := nullif(btrim(p_text), '');
begin
  -- a uuid may stand as text in one table and as uuid in the other
  return case when v_text ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then lower(v_text) else v_text end;
end
$$;
comment on function postloop.old_decision_id is 'A decision id as text, the same whether it was a uuid or text; null when blank.';

-- The time inside an id: see shared/snowflake.ts.
create function postloop.minted_at(p_post_id text, p_now timestamptz)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
declare
  c_first_snowflake constant numeric := 29700859247;
  c_epoch constant timestamptz := timestamptz '2010-11-04 01:42:54.657+00';
  v_id numeric := p_post_id::numeric;
  v_at timestamptz;
begin
  if v_id >= c_first_snowflake then
    -- 4194304 = 2^22: the machine and the sequence below the milliseconds
    v_at := c_epoch + div(v_id, 4194304)::double precision * interval '1 millisecond';
  end if;
  return case when v_at <= p_now then v_at end;
end
$$;
comment on function postloop.minted_at is
  'When X minted a post id, to the millisecond; null for ids from before November 2010 and for ids that X cannot have minted by p_now.';

-- The old decisions. Of several with one id the newest says what was decided.
create function postloop.old_decisions()
returns table (place tid, key text, created_at timestamptz, decision_id text, post_id text, kind text,
  dimensions jsonb, is_newest boolean, says jsonb)
language sql
stable
rows 100000
set search_path = ''
as $$
  select m.place, coalesce(m.old ->> 'decision_id', m.post_id, m.place::text), m.created_at,
    m.decision_id, m.post_id, coalesce(k.kind, 'single'), d.dimensions,
    m.decision_id is not null and row_number() over (
      partition by m.decision_id order by m.created_at desc nulls last, m.place desc) = 1,
    m.old
  from (
    select r.place, r.old, x.post_id, x.created_at,
      case
        -- without an id of its own it is known by its post
        when x.decision_id is null then x.post_id
        when length(x.decision_id) <= 200 then x.decision_id
      end as decision_id
    from postloop.first_system_rows('content_metadata') r
    cross join lateral (
      select postloop.old_post_id(r.old) as post_id,
        postloop.old_decision_id(r.old ->> 'decision_id') as decision_id,
        postloop.old_moment(r.old ->> 'created_at') as created_at
      offset 0
    ) x
  ) m
  left join lateral (
    select lower(btrim(n.name)) as kind
    from unnest(array[m.old ->> 'decision_type', m.old ->> 'kind', m.old ->> 'content_type'])
      with ordinality n(name, preference)
    where lower(btrim(n.name)) in ('single', 'thread', 'reply')
    order by n.preference
    limit 1
  ) k on true
  cross join lateral (
    select coalesce(jsonb_object_agg(v.dimension, v.value), '{}') as dimensions
    from (
      select distinct on (a.dimension) a.dimension, btrim(m.old ->> a.name, E' \t\r\n') as value
      from (values
        ('topic', 1, 'topic'), ('topic', 2, 'topic_cluster'),
        ('angle', 1, 'angle'), ('tone', 1, 'tone'),
        ('format', 1, 'format'), ('format', 2, 'format_strategy'),
        ('generator', 1, 'generator'), ('generator', 2, 'generator_used'),
        ('generator', 3, 'generator_name'),
        ('hook_pattern', 1, 'hook_pattern'), ('hook_pattern', 2, 'hook_type'),
        ('hook_pattern', 3, 'hook')
      ) a(dimension, preference, name)
      where jsonb_typeof(m.old -> a.name) in ('string', 'number')
        and btrim(m.old ->> a.name, E' \t\r\n') <> ''
      order by a.dimension, a.preference
    ) v
  ) d
$$;
comment on function postloop.old_decisions is
  'The rows of the old content_metadata with the id, post, kind and dimensions that they name; says is the whole row.';

-- A post for each id that any old table knows and whose time of posting is known.
create function postloop.import_posts(p_account_id bigint, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  with
  mention as (
    select postloop.old_post_id(r.old) as post_id, postloop.old_moment(r.old ->> 'posted_at') as posted_at
    from unnest(array['post_attribution', 'real_tweet_metrics', 'content_metadata']) s(source)
    cross join lateral postloop.first_system_rows(s.source) r
  ),
  -- 1 when most of the old rows say that it was posted
  given as (
    select m.post_id,
      mode() within group (order by m.posted_at) filter (where m.posted_at <= p_now) as posted_at
    from mention m
    where m.post_id is not null
    group by m.post_id
  ),
  -- 2 the id knows better: the first system also stored when it had queued or found a post
  dated as (
    select g.post_id, case
        when abs(extract(epoch from g.posted_at - x.minted_at)) > 600 then x.minted_at
        else coalesce(g.posted_at, x.minted_at)
      end as posted_at
    from given g
    cross join lateral (select postloop.minted_at(g.post_id, p_now) as minted_at offset 0) x
  )
  insert into public.post_attribution (post_id, account_id, posted_at, tracked_at)
  select d.post_id, p_account_id, d.posted_at, p_now
  from dated d
  where d.posted_at is not null
$$;
comment on function postloop.import_posts is
  'Imports the posts of the first system, each with its time of posting: as given, or the one inside its id when none is given or they differ by more than 10 minutes.';

-- Which values may be arms. A dimension of the first system was often free text: a value that was
-- used once or twice can never gather evidence.
create function postloop.import_vocabulary(p_account_id bigint, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  insert into public.content_dimension_values (account_id, dimension, value, created_at)
  select p_account_id, v.dimension, v.value, p_now
  from (
    select g.key as dimension, g.value, count(*) as uses,
      count(*) over (partition by g.key) as values_of_dimension
    from postloop.old_decisions() d
    cross join lateral jsonb_each_text(d.dimensions) g
    where d.is_newest and length(g.value) <= 200
    group by g.key, g.value
  ) v
  where v.values_of_dimension <= 50 or v.uses >= 5
$$;
comment on function postloop.import_vocabulary is
  'The account''s vocabulary from its history: every value of a dimension that has at most 50, of the others those used at least five times.';

-- Decisions, and which post each of them led to.
create function postloop.import_decisions(p_account_id bigint, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  with
  -- 1 the old decisions with the dimensions that the vocabulary has
  decision as materialized (
    select d.*, known.assigned,
      (select string_agg(n, ', ' order by n) from jsonb_object_keys(d.dimensions) n
       where not known.assigned ? n) as left_out
    from postloop.old_decisions() d
    cross join lateral (
      select coalesce(jsonb_object_agg(v.dimension, v.value), '{}') as assigned
      from jsonb_each_text(d.dimensions) g
      join public.content_dimension_values v
        on v.account_id = p_account_id and v.dimension = g.key and v.value = g.value
    ) known
  ),
  -- 2 the old posts; of several rows for one post the one that names a decision, or knows its time best
  old_post as materialized (
    select r.place, r.old, x.*, p.posted_at as true_posted_at,
      row_number() over (partition by x.post_id order by x.decision_id is null,
        abs(extract(epoch from x.posted_at - p.posted_at)), r.place) as rank
    from postloop.first_system_rows('post_attribution') r
    cross join lateral (
      select postloop.old_post_id(r.old) as post_id,
        postloop.old_decision_id(r.old ->> 'decision_id') as decision_id,
        postloop.old_moment(r.old ->> 'posted_at') as posted_at
      offset 0
    ) x
    left join public.post_attribution p on p.post_id = x.post_id
  ),
  -- 3 which decision a post may have: the one it names, the one that names it, the one under its
  -- own id (where the first system looked it up), and last one that it names and nobody knows
  claim as (
    select o.post_id, d.decision_id, d.created_at, 1 as preference
    from old_post o
    join decision d on d.decision_id = o.decision_id and d.is_newest
    where o.rank = 1
    union all
    select d.post_id, d.decision_id, d.created_at, 2
    from decision d
    where d.post_id is not null and d.decision_id is not null
    union all
    select d.decision_id, d.decision_id, d.created_at, 3
    from decision d
    where d.is_newest
    union all
    select o.post_id, o.decision_id, null, 4
    from old_post o
    where o.rank = 1 and length(o.decision_id) <= 200
  ),
  choice as (
    select distinct on (c.post_id) c.post_id, c.decision_id, p.posted_at
    from claim c
    join public.post_attribution p on p.post_id = c.post_id
    order by c.post_id, c.preference, c.created_at desc nulls last, c.decision_id
  ),
  -- 4 a decision has one post, the first
  link as materialized (
    select distinct on (c.decision_id) c.decision_id, c.post_id, c.posted_at,
      d.kind, d.assigned
    from choice c
    left join decision d on d.decision_id = c.decision_id and d.is_newest
    order by c.decision_id, c.posted_at, c.post_id
  ),
  decided as (
    insert into public.content_metadata (decision_id, account_id, created_at, origin, kind, assigned)
    select d.decision_id, p_account_id,
      coalesce(case when d.created_at <= p_now then d.created_at end, l.posted_at, p_now), 'imported',
      d.kind, d.assigned
    from decision d
    left join link l on l.decision_id = d.decision_id
    where d.is_newest
    union all
    select l.decision_id, p_account_id, l.posted_at, 'imported', 'single', '{}'
    from link l
    where l.kind is null
  ),
  linked as (
    update public.post_attribution p
    set decision_id = l.decision_id, kind = coalesce(l.kind, 'single'),
        realised = coalesce(l.assigned, '{}')
    from link l
    where p.post_id = l.post_id
  ),
  -- 5 what became of each row
  judged_decision as (
    select d.place, d.key,
      case
        when d.decision_id is null and d.says ->> 'decision_id' is null then 'no decision id'
        when d.decision_id is null then 'not a decision id'
        when not d.is_newest then 'duplicate: a newer row of the decision is kept'
      end as refusal,
      concat_ws('; ',
        'left out of the vocabulary: ' || d.left_out,
        case when d.says ->> 'created_at' is not null and coalesce(d.created_at > p_now, true)
          then 'no true time of decision' end) as change,
      l.post_id is not null as is_linked
    from decision d
    left join link l on l.decision_id = d.decision_id
  ),
  judged_post as (
    select o.place,
      coalesce(nullif(o.old ->> 'post_id', ''), nullif(o.old ->> 'tweet_id', ''), o.place::text) as key,
      case
        when o.post_id is null and coalesce(btrim(o.old ->> 'post_id'), btrim(o.old ->> 'tweet_id'), '') = ''
          then 'no post id'
        when o.post_id is null then 'not a post id'
        when o.true_posted_at is null and o.posted_at > p_now then 'posting time in the future'
        when o.true_posted_at is null then 'no posting time'
        when o.rank > 1 then 'duplicate: another row of the post is kept'
      end as refusal,
      case when o.old ->> 'posted_at' is not null
        and coalesce(abs(extract(epoch from o.posted_at - o.true_posted_at)) > 600, true)
        then 'not the posting time' end as change,
      l.post_id is not null as is_linked,
      concat_ws('; ',
        case when o.decision_id is not null and l.post_id is null
          then 'its decision led to an earlier post' end,
        case when exists (
          select from jsonb_each_text(o.old) n
          where n.key ~ '^(followers_|engagement_rate$|impressions$|likes$|retweets$|replies$|bookmarks$)'
            and n.value <> '0')
          then 'its numbers were drawn at random and stay in first_system' end) as remark
    from old_post o
    left join link l on l.post_id = o.post_id
  ),
  judged as (
    select 'content_metadata' as source, d.*, '' as remark from judged_decision d
    union all
    select 'post_attribution', p.* from judged_post p
  )
  insert into postloop.upgraded_rows (source, place, key, result, reason)
  select j.source, j.place, j.key,
    case
      when j.refusal is not null then 'set_aside'
      when j.change <> '' then 'changed'
      when j.is_linked then 'linked'
      else 'kept'
    end,
    coalesce(j.refusal, nullif(concat_ws('; ',
      case when j.change <> '' then case when j.is_linked then 'linked' else 'kept' end end,
      nullif(j.change, ''), nullif(j.remark, '')), ''))
  from judged j
$$;
comment on function postloop.import_decisions is
  'Imports the decisions of the first system, links each to its post, and notes what became of the rows of content_metadata and post_attribution.';

-- Reads, each in the phase of its true age: the first system measured from queueing, and a late run
-- filled several phases with one number.
create function postloop.import_reads(p_account_id bigint, p_run_id uuid, p_now timestamptz)
returns void
language sql
set search_path = ''
as $$
  with
  -- 1 the old rows
  given as (
    select r.place, r.old, x.*
    from postloop.first_system_rows('real_tweet_metrics') r
    cross join lateral (
      select postloop.old_post_id(r.old) as post_id,
        postloop.old_moment(r.old ->> 'posted_at') as posted_at,
        postloop.old_moment(r.old ->> 'collected_at') as collected_at,
        postloop.old_count(r.old ->> 'likes') as likes,
        postloop.old_count(r.old ->> 'retweets') as retweets,
        postloop.old_count(r.old ->> 'replies') as replies,
        postloop.old_count(r.old ->> 'quotes') as quotes,
        postloop.old_count(r.old ->> 'bookmarks') as bookmarks,
        postloop.old_count(r.old ->> 'profile_clicks') as profile_clicks,
        postloop.old_count(r.old ->> 'impressions') as impressions
      offset 0
    ) x
  ),
  -- 2 without what cannot be a count: below 0, or no impressions of a post that was liked
  cleaned as (
    select g.place, g.old, g.post_id, g.posted_at, g.collected_at, c.*, e.*,
      case when g.impressions > 0 or (g.impressions = 0 and e.most = 0) then g.impressions end as impressions,
      concat_ws('; ',
        case when least(g.likes, g.retweets, g.replies, g.quotes, g.bookmarks, g.profile_clicks, g.impressions) < 0
          then 'a count below 0' end,
        case when g.impressions = 0 and e.most > 0 then 'impressions 0 beside engagement' end,
        case when num_nonnulls(g.likes, g.retweets, g.replies, g.quotes, g.bookmarks, g.profile_clicks, g.impressions)
          < num_nonnulls(g.old ->> 'likes', g.old ->> 'retweets', g.old ->> 'replies', g.old ->> 'quotes',
            g.old ->> 'bookmarks', g.old ->> 'profile_clicks', g.old ->> 'impressions')
          then 'a count that is no number' end) as change
    from given g
    cross join lateral (
      select case when g.likes >= 0 then g.likes end as likes,
        case when g.retweets >= 0 then g.retweets end as retweets,
        case when g.replies >= 0 then g.replies end as replies,
        case when g.quotes >= 0 then g.quotes end as quotes,
        case when g.bookmarks >= 0 then g.bookmarks end as bookmarks,
        case when g.profile_clicks >= 0 then g.profile_clicks end as profile_clicks
    ) c
    cross join lateral (
      select coalesce(c.likes, 0) + coalesce(c.retweets, 0) + coalesce(c.replies, 0) as engagement,
        greatest(c.likes, c.retweets, c.replies, c.quotes, c.bookmarks, c.profile_clicks, 0) as most
    ) e
  ),
  -- 3 what is not believed. The first system stored 30 x engagement as impressions, with or without
  -- bookmarks; the rate that it stored tells those cases from a true number that happens to fit.
  doubted as (
    select c.*,
      concat_ws('; ',
        case when c.impressions > 0 and (
            c.impressions = 30 * c.engagement
            or (c.impressions in (30 * (c.engagement + c.bookmarks), 30 * (c.engagement + c.quotes),
                30 * (c.engagement + c.bookmarks + c.quotes))
              and (abs(r.rate - 1.0 / 30) < 0.00005 or abs(r.rate - 100.0 / 30) < 0.005)))
          then 'impressions are an estimate: 30 x engagement' end,
        case when c.most > c.impressions then 'more engagement than impressions' end,
        case when c.impressions = 0 and c.most = 0 then 'every count is 0, the old default' end,
        case when lower(c.old ->> 'is_verified') in ('false', 'f', '0') then 'not verified' end,
        case when c.collected_at > p_now then 'read in the future' end) as doubt
    from cleaned c
    cross join lateral (
      select case when c.old ->> 'engagement_rate' ~ '^[0-9]{1,9}(\.[0-9]{1,20})?$'
        then (c.old ->> 'engagement_rate')::numeric end as rate
    ) r
  ),
  -- 4 the phase of the true age; of the rest, why it cannot be a read of a post
  phase as (
    select ph.phase, ph.age, ph.age + ph.tolerance as window_end, ph.scheduled,
      lead(ph.age) over (order by ph.age) as next_age
    from public.collection_phases ph
  ),
  placed as (
    select d.place, d.old, d.post_id, d.collected_at, p.posted_at, ph.phase, d.likes, d.retweets,
      d.replies, d.quotes, d.bookmarks, d.profile_clicks, d.impressions, d.doubt,
      concat_ws('; ', nullif(d.change, ''),
        case when abs(extract(epoch from d.posted_at - p.posted_at)) > 600
          then 'not the posting time' end) as change,
      case
        when d.post_id is null and coalesce(btrim(d.old ->> 'tweet_id'), btrim(d.old ->> 'post_id'), '') = ''
          then 'no post id'
        when d.post_id is null then 'not a post id'
        when p.post_id is null and d.posted_at > p_now then 'posting time in the future'
        when p.post_id is null then 'no posting time'
        when d.collected_at is null then 'no time of reading'
        when d.collected_at <= p.posted_at then 'read before the post'
        when num_nonnulls(d.likes, d.retweets, d.replies, d.quotes, d.bookmarks, d.profile_clicks, d.impressions) = 0
          then 'no number in it'
        -- its place is for the true read
        when d.doubt <> '' and ph.scheduled and p.posted_at + ph.window_end > p_now
          then 'its phase can still be read; ' || d.doubt
      end as refusal
    from doubted d
    left join public.post_attribution p on p.post_id = d.post_id
    left join phase ph
      -- the first phase begins at one second
      on greatest(d.collected_at - p.posted_at, interval '1 second') >= ph.age
      and (ph.next_age is null or greatest(d.collected_at - p.posted_at, interval '1 second') < ph.next_age)
  ),
  -- 5 one read for each phase: a usable one before one that is not, then the nearest
  ranked as (
    select p.*, row_number() over w as rank, first_value(p.collected_at) over w as kept_collected_at,
      first_value(p.doubt) over w as kept_doubt
    from placed p
    window w as (partition by p.post_id, p.phase, p.refusal is null
      order by p.doubt <> '', p.collected_at, p.old ->> 'collection_phase', p.place)
  ),
  judged as materialized (
    select r.*, case
        when r.refusal is not null then r.refusal
        when r.rank = 1 then null
        when r.collected_at = r.kept_collected_at then 'duplicate: another row of the same reading is kept'
        when r.doubt <> '' and r.kept_doubt = '' then 'a usable read of its phase is kept'
        else 'a read nearer to its phase is kept'
      end as verdict
    from ranked r
  ),
  stored as (
    insert into public.real_tweet_metrics (tweet_id, collection_phase, account_id, collected_at, posted_at,
      likes, retweets, replies, quotes, bookmarks, impressions, profile_clicks, source, quality, run_id,
      attributed_at)
    select j.post_id, j.phase, p_account_id, j.collected_at, j.posted_at, j.likes, j.retweets, j.replies,
      j.quotes, j.bookmarks, j.impressions, j.profile_clicks, 'imported',
      case
        when j.doubt <> '' then 'suspect'
        -- X shows such numbers as 1.2K or 32.1K
        when exists (
          select from unnest(array[j.likes, j.retweets, j.replies, j.quotes, j.bookmarks, j.impressions]) n
          where n >= 1000 and n % 100 = 0) then 'rounded'
        else 'exact'
      end,
      p_run_id, case when j.doubt <> '' then p_now end
    from judged j
    where j.verdict is null
  )
  insert into postloop.upgraded_rows (source, place, key, result, reason)
  select 'real_tweet_metrics', j.place,
    concat_ws(' ', coalesce(j.old ->> 'tweet_id', j.old ->> 'post_id'), j.old ->> 'collection_phase'),
    case
      when j.verdict is not null then 'set_aside'
      when j.doubt <> '' then 'marked'
      when j.change <> '' then 'changed'
      else 'kept'
    end,
    coalesce(j.verdict, nullif(concat_ws('; ', nullif(j.doubt, ''), nullif(j.change, '')), ''))
  from judged j;

  -- What was read and what was missed. Windows that are still open wait until the account has its name.
  insert into public.metric_collections
    (post_id, phase, account_id, due_at, expires_at, next_attempt_at, state, outcome, attempts, finished_at)
  select p.post_id, ph.phase, p.account_id, p.posted_at + ph.age, x.expires_at, p.posted_at + ph.age,
    case when m.tweet_id is not null then 'done' else 'missed' end,
    case when m.tweet_id is not null then 'found' end,
    case when m.tweet_id is not null then 1 else 0 end,
    coalesce(m.collected_at, x.expires_at)
  from public.post_attribution p
  cross join public.collection_phases ph
  cross join lateral (select p.posted_at + ph.age + ph.tolerance as expires_at) x
  left join public.real_tweet_metrics m on m.tweet_id = p.post_id and m.collection_phase = ph.phase
  where p.account_id = p_account_id
    and (m.tweet_id is not null or (ph.scheduled and x.expires_at <= p_now));
$$;
comment on function postloop.import_reads is
  'Imports the reads of the first system into the phases of their true age, notes what became of each row, and what the schedule of each post would have been.';

create function postloop.import_first_system(p_now timestamptz)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  c_sources constant text[] := array['content_metadata', 'post_attribution', 'real_tweet_metrics'];
  v_table text;
  v_expected integer;
  v_kept integer;
  v_run_id uuid;
  v_account_id bigint;
begin
  if exists (select from postloop.upgraded_rows) then
    return jsonb_build_object('code', 'imported_before');
  end if;

  for v_table in
    select c.relname
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'first_system' and c.relkind in ('r', 'p') and c.relname <> all (c_sources)
    order by c.relname
  loop
    insert into postloop.upgraded_rows (source, place, key, result, reason)
    select v_table, r.place, coalesce(r.old ->> 'id', r.place::text), 'set_aside',
      case when v_table like '%\_performance' then 'learned anew from the reads'
        else 'Postloop needs the name of its table' end
    from postloop.first_system_rows(v_table) r;
  end loop;

  select count(*) into v_expected
  from unnest(c_sources) s(source)
  cross join lateral postloop.first_system_rows(s.source);
  if v_expected = 0 then
    return jsonb_build_object('code', 'nothing_to_import');
  end if;

  v_run_id := public.start_pipeline_run('upgrade', v_expected, p_now);
  insert into public.x_accounts (handle, created_at) values ('unnamed_import_', p_now)
  returning id into v_account_id;
  insert into postloop.imported_accounts (account_id, imported_at) values (v_account_id, p_now);
  perform postloop.import_posts(v_account_id, p_now);
  perform postloop.import_vocabulary(v_account_id, p_now);
  perform postloop.import_decisions(v_account_id, p_now);
  perform postloop.import_reads(v_account_id, v_run_id, p_now);

  select count(*) into v_kept
  from postloop.upgraded_rows u
  where u.source = any (c_sources) and u.result <> 'set_aside';
  delete from public.x_accounts a
  where a.id = v_account_id
    and not exists (select from public.post_attribution p where p.account_id = a.id)
    and not exists (select from public.content_metadata d where d.account_id = a.id);
  return jsonb_build_object('code', 'imported') || public.finish_pipeline_run(v_run_id, v_kept,
    jsonb_strip_nulls(jsonb_build_object('set_aside', nullif(v_expected - v_kept, 0))));
end
$$;
comment on function postloop.import_first_system is
  'Imports what the schema first_system holds, once: {code: imported} with its run, imported_before, or nothing_to_import. 100,000 reads of 20,000 posts take some 20 s of one core.';

create function public.name_imported_account(p_handle text, p_now timestamptz default now())
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_import postloop.imported_accounts;
  v_posts text[];
begin
  if p_handle is null or p_handle !~ '^[A-Za-z0-9_]{1,15}$' then
    return jsonb_build_object('code', 'handle_invalid', 'handle', p_handle);
  end if;
  select i.* into v_import from postloop.imported_accounts i for update;
  if not found then
    return jsonb_build_object('code', 'nothing_imported');
  end if;
  if v_import.named_at is not null then
    return jsonb_build_object('code', 'already_named', 'account_id', v_import.account_id, 'handle',
      (select a.handle from public.x_accounts a where a.id = v_import.account_id));
  end if;
  if exists (select from public.x_accounts a where lower(a.handle) = lower(p_handle)) then
    return jsonb_build_object('code', 'handle_taken', 'handle', p_handle);
  end if;

  update public.x_accounts a set handle = p_handle where a.id = v_import.account_id;
  update postloop.imported_accounts i set named_at = p_now where i.account_id = v_import.account_id;
  insert into public.follower_collections (account_id, next_attempt_at)
  values (v_import.account_id, p_now)
  on conflict (account_id) do nothing;

  -- posts with a window that was open when they were imported; older ones have their schedule
  select coalesce(array_agg(p.post_id), '{}') into v_posts
  from public.post_attribution p
  where p.account_id = v_import.account_id
    and p.posted_at > v_import.imported_at - (
      select max(ph.age + ph.tolerance) from public.collection_phases ph where ph.scheduled);
  perform postloop.schedule_reads(v_posts, p_now);

  return jsonb_build_object('code', 'named', 'account_id', v_import.account_id, 'handle', p_handle,
    'reads_waiting', (
      select count(*) from public.metric_collections c
      where c.account_id = v_import.account_id and c.state = 'waiting'));
end
$$;
comment on function public.name_imported_account is
  'Gives what was imported its X handle; from then on its follower count and its youngest posts are read. Returns named, or handle_invalid, handle_taken, nothing_imported, already_named with nothing written.';

alter table postloop.upgraded_rows enable row level security;
alter table postloop.imported_accounts enable row level security;

revoke all on
  postloop.upgraded_rows, postloop.imported_accounts, public.upgrade_report
  from public, anon, authenticated, service_role;
revoke all on sequence postloop.upgraded_rows_id_seq from public, anon, authenticated, service_role;
grant select on postloop.upgraded_rows, public.upgrade_report to service_role;
grant select, update on postloop.imported_accounts to service_role;
revoke all on function
  postloop.first_system_rows, postloop.old_count, postloop.old_moment, postloop.old_post_id,
  postloop.old_decision_id, postloop.minted_at, postloop.old_decisions, postloop.import_posts,
  postloop.import_vocabulary, postloop.import_decisions, postloop.import_reads,
  postloop.import_first_system, public.name_imported_account
  from public, anon, authenticated, service_role;
grant execute on function public.name_imported_account to service_role;

-- longer than the two minutes that the role postgres has on hosted projects
set statement_timeout = '30min';
select postloop.import_first_system(now());
reset statement_timeout;
