-- A draw can be repeated and its prompt be judged only if the decision says what both rested on.
alter table public.content_metadata
  add column chosen integer,
  add column model_version bigint,
  add column prompted boolean,
  add column control_share double precision,
  add constraint chosen_is_what_was_assigned check (
    chosen is null or slate is null or chosen >= 0 and coalesce(slate -> chosen = assigned, false)),
  add constraint joint_draws_name_their_model check (policy <> 'thompson_joint' or model_version is not null),
  add constraint control_share_is_at_most_half check (control_share between 0 and 0.5),
  add constraint only_a_control_share_goes_unprompted check (prompted or control_share > 0);
comment on column public.content_metadata.chosen is 'Index from 0 of the pick in slate; null where it was not logged.';
comment on column public.content_metadata.model_version is
  'models.data_version that the slate was drawn from; null for a draw without a model.';
comment on column public.content_metadata.prompted is
  'Whether the prompt held the evidence: false for the control share. Null where it was not logged.';
comment on column public.content_metadata.control_share is
  'Probability, when it was drawn, of belonging to the control share. Null where it was not logged.';
-- Few decisions have a control beside them, and prompt_worth reads no others.
create index content_metadata_control_idx on public.content_metadata (account_id) where control_share > 0;
