-- An account owns a closed vocabulary: free text as an arm can never gather evidence.
create table public.x_accounts (
  id bigint generated always as identity primary key,
  handle text not null,
  owner_id uuid references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  rules jsonb not null default '[]',
  control_share double precision not null default 0,
  constraint handle_is_an_x_handle check (handle ~ '^[A-Za-z0-9_]{1,15}$'),
  constraint rules_are_a_list check (jsonb_typeof(rules) = 'array'),
  constraint control_share_is_at_most_half check (control_share between 0 and 0.5)
);
comment on table public.x_accounts is 'An X account that Postloop tracks.';
comment on column public.x_accounts.handle is 'X handle without the @; unique without regard to case.';
comment on column public.x_accounts.owner_id is 'The Supabase user who may read this account''s rows; null for none.';
comment on column public.x_accounts.rules is
  'What no recommendation may break: [{"forbid": {"tone": "dry", "topic": "layoffs"}}, {"require": {"generator": "human"}, "when": {"topic": "layoffs"}}]. Set by set_content_rules.';
comment on column public.x_accounts.control_share is
  'Share of decisions, 0 to 0.5, that are given no evidence in their prompt, so that prompt_worth can tell what the evidence is worth.';
create unique index x_accounts_handle_is_unique on public.x_accounts (lower(handle));
create index x_accounts_owner_id_idx on public.x_accounts (owner_id);

create table public.content_dimensions (
  dimension text primary key,
  position smallint not null,
  description text not null,
  constraint dimension_is_a_name check (dimension ~ '^[a-z][a-z0-9_]{0,62}$'),
  constraint dimension_position_is_unique unique (position)
);
comment on table public.content_dimensions is 'The choices that a post is made of; a row each, not code.';

insert into public.content_dimensions (dimension, position, description) values
  ('topic', 1, 'what the post is about'),
  ('angle', 2, 'the point of view it takes'),
  ('tone', 3, 'how it sounds'),
  ('format', 4, 'how it is laid out'),
  ('generator', 5, 'which writer or model produced it'),
  ('hook_pattern', 6, 'how it opens');

create table public.content_dimension_values (
  account_id bigint not null references public.x_accounts (id) on delete cascade,
  dimension text not null references public.content_dimensions (dimension),
  value text not null,
  label text,
  retired_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (account_id, dimension, value),
  constraint value_is_not_blank check (btrim(value) <> '' and length(value) <= 200)
);
comment on table public.content_dimension_values is 'The closed vocabulary of an account: the arms of each dimension.';
comment on column public.content_dimension_values.label is 'Free text for people; never an arm.';
comment on column public.content_dimension_values.retired_at is 'From then on it is no longer recommended; its history stays.';
create index content_dimension_values_dimension_idx on public.content_dimension_values (dimension);

-- The first name of p_values that is not in the account's vocabulary, as jsonb; null when all are.
create function postloop.first_unknown_value(p_account_id bigint, p_values jsonb)
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
      'dimension', given.key,
      'value', given.value,
      'known_dimension', d.dimension is not null,
      'known_values', (
        select coalesce(jsonb_agg(v.value order by v.value), '[]'::jsonb)
        from public.content_dimension_values v
        where v.account_id = p_account_id and v.dimension = given.key
      ))
  from jsonb_each_text(p_values) given
  left join public.content_dimensions d on d.dimension = given.key
  where not exists (
    select from public.content_dimension_values v
    where v.account_id = p_account_id and v.dimension = given.key and v.value = given.value
  )
  order by d.position nulls first, given.key
  limit 1
$$;
comment on function postloop.first_unknown_value is
  'The first (dimension, value) of a jsonb object that the account''s vocabulary lacks, or null.';

-- Last line of defence: whatever writes decisions or posts, unknown values do not get in.
create function postloop.refuse_unknown_values()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_unknown jsonb := postloop.first_unknown_value(new.account_id, to_jsonb(new) -> tg_argv[0]);
begin
  if v_unknown is not null then
    raise exception '% % is not in the vocabulary of account %',
      v_unknown ->> 'dimension', v_unknown ->> 'value', new.account_id
      using errcode = 'check_violation', hint = 'Add it to content_dimension_values first.';
  end if;
  return new;
end
$$;
comment on function postloop.refuse_unknown_values is
  'Trigger: refuses a row whose jsonb column (the argument) names a value outside the vocabulary.';

alter table public.x_accounts enable row level security;
alter table public.content_dimensions enable row level security;
alter table public.content_dimension_values enable row level security;
create policy owners_read_their_accounts on public.x_accounts
  for select to authenticated using (owner_id = (select auth.uid()));
create policy signed_in_users_read_dimensions on public.content_dimensions
  for select to authenticated using (true);
create policy owners_read_their_vocabulary on public.content_dimension_values
  for select to authenticated
  using (account_id in (select id from public.x_accounts where owner_id = (select auth.uid())));

revoke all on
  public.x_accounts, public.content_dimensions, public.content_dimension_values
  from public, anon, authenticated, service_role;
revoke all on sequence public.x_accounts_id_seq from public, anon, authenticated, service_role;
grant select on public.x_accounts, public.content_dimensions, public.content_dimension_values to authenticated;
grant select, insert, update on
  public.x_accounts, public.content_dimensions, public.content_dimension_values
  to service_role;
revoke all on function
  postloop.first_unknown_value, postloop.refuse_unknown_values
  from public, anon, authenticated, service_role;
grant execute on function
  postloop.first_unknown_value, postloop.refuse_unknown_values
  to service_role;
