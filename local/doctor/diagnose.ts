/** From what was found to where the loop stops and what to do about it. Pure. */
import {
  type Answered,
  type Findings,
  type FoundFunction,
  type FoundStep,
  type FunctionName,
  type Invariant,
  STEP_NAMES,
  type StepName,
} from './look.ts';

/** The parts of the platform that the loop rests on, in the order in which they are shown. */
const PARTS = ['Vault', 'cron', 'pg_net', 'Lambda heartbeat', 'schema'] as const;
type Part = (typeof PARTS)[number];

/**
 * Where an invariant belongs: a step that it breaks, or a part of the platform with the step that
 * needs it first. One in neither place concerns the pipeline as a whole.
 */
type Place = { step?: StepName; part?: Part; before?: StepName };

const PLACES: Record<string, Place> = {
  schema_matches: { part: 'schema', before: 'decision' },
  posts_have_reads: { step: 'due_reads' },
  heartbeat_scraper: { part: 'Lambda heartbeat', step: 'due_reads' },
  reads_on_time: { step: 'due_reads' },
  reads_not_missed: { step: 'due_reads' },
  scraper_works: { step: 'metrics' },
  reads_succeed: { step: 'metrics' },
  reads_believed: { step: 'metrics' },
  payload_shapes_known: { step: 'metrics' },
  sessions_accepted: { step: 'metrics' },
  reads_have_provenance: { step: 'metrics' },
  metrics_monotone: { step: 'metrics' },
  metrics_plausible: { step: 'metrics' },
  metrics_move: { step: 'metrics' },
  follower_counts_fresh: { step: 'follower_snapshots' },
  follower_counts_exact: { step: 'follower_snapshots' },
  vault_secrets_present: { part: 'Vault', before: 'attribution' },
  cron_jobs_scheduled: { part: 'cron', before: 'attribution' },
  cron_jobs_succeed: { part: 'cron', before: 'attribution' },
  requests_answered: { part: 'pg_net', before: 'attribution' },
  heartbeat_attribution: { step: 'attribution' },
  last_run_attribution: { step: 'attribution' },
  reads_attributed: { step: 'attribution' },
  ledger_conserved: { step: 'credit' },
  heartbeat_learning: { step: 'learning' },
  last_run_learning: { step: 'learning' },
  posts_learned: { step: 'learning' },
};

/** The step that each function does or feeds. */
const FUNCTION_STEPS: Record<FunctionName, StepName | null> = {
  'track-post': 'tracking_row',
  attribution: 'attribution',
  learning: 'learning',
  recommend: 'recommendation',
  'policy-evaluation': null,
  health: null,
};

const APPLY_MIGRATIONS =
  'Apply the migrations of this version (npx supabase db push --remote; locally start npm start anew), and look again.';

export type DiagnosedStep = Omit<FoundStep, 'what_to_do'> & {
  /** Names of the failing invariants, and functions, that break the step. */
  failing: string[];
  /** Names of the invariants of the step that are in a state of warning. */
  warnings: string[];
};

type DiagnosedPart = {
  part: Part;
  /** unknown: the database does not check it. */
  status: 'ok' | 'warning' | 'failing' | 'unknown';
  measured: string;
};

/** One thing to do; `step` is the step that it mends or serves, null for the whole. */
export type Todo = { step: StepName | null; about: string; what_to_do: string };

export type Diagnosis = {
  url: string;
  /** The moment at which the database looked, ISO 8601. */
  as_of: string;
  status: 'ok' | 'broken';
  first_broken: StepName | null;
  steps: DiagnosedStep[];
  invariants: Invariant[];
  functions: FoundFunction[];
  platform: DiagnosedPart[];
  todo: Todo[];
  /** What to do about warnings, which break nothing. */
  watch: Todo[];
};

export function diagnose(url: string, now: Date, findings: Findings): Diagnosis {
  const invariants = findings.invariants.code === 'read' ? findings.invariants.data : [];
  const platform = PARTS.map((part) => diagnosePart(part, invariants));
  const functions = findings.functions;
  const found = findings.steps.code === 'read' ? findings.steps.data : [];
  const steps = found.map((step) => diagnoseStep(step, invariants, functions));
  const todo = distinct([
    ...unreadable(findings),
    ...unchecked(findings.invariants, platform),
    ...inLoopOrder([
      ...invariants.filter(({ status }) => status === 'failing').map(invariantTodo),
      ...functions.filter(({ state }) => state !== 'ok').map(functionTodo),
      // A step says what to do itself where nothing more precise does.
      ...found
        .filter(
          ({ step, state }) =>
            state === 'broken' && failingOf(step, invariants, functions).length === 0,
        )
        .map(stepTodo),
    ]),
  ]);
  return {
    url,
    as_of: now.toISOString(),
    status: todo.length > 0 ? 'broken' : 'ok',
    first_broken: steps.find(({ state }) => state === 'broken')?.step ?? null,
    steps,
    invariants,
    functions,
    platform,
    todo,
    watch: distinct(
      inLoopOrder(invariants.filter(({ status }) => status === 'warning').map(invariantTodo)),
    ),
  };
}

/** Whether an invariant is shown with no step and no part of the platform. */
export const isOfWholePipeline = ({ name }: Invariant) => PLACES[name] === undefined;

function diagnoseStep(
  { what_to_do: _, ...step }: FoundStep,
  invariants: Invariant[],
  functions: FoundFunction[],
): DiagnosedStep {
  const failing = failingOf(step.step, invariants, functions);
  const warnings = invariants
    .filter(({ name, status }) => status === 'warning' && PLACES[name]?.step === step.step)
    .map(({ name }) => name);
  return { ...step, state: failing.length > 0 ? 'broken' : step.state, failing, warnings };
}

function failingOf(step: StepName, invariants: Invariant[], functions: FoundFunction[]): string[] {
  return [
    ...invariants.filter(({ name, status }) => status === 'failing' && PLACES[name]?.step === step),
    ...functions.filter(({ name, state }) => state !== 'ok' && FUNCTION_STEPS[name] === step),
  ].map(({ name }) => name);
}

function diagnosePart(part: Part, invariants: Invariant[]): DiagnosedPart {
  const own = invariants.filter(({ name }) => PLACES[name]?.part === part);
  const worst = (['failing', 'warning', 'ok'] as const).find((status) =>
    own.some((one) => one.status === status),
  );
  if (worst !== 'failing' && own.length < namesOf(part).length) {
    return { part, status: 'unknown', measured: 'the database does not check it' };
  }
  const shown = own.filter(({ status }) => status === worst).map(({ measured }) => measured);
  return { part, status: worst ?? 'ok', measured: shown.filter(Boolean).join('; ') };
}

const namesOf = (part: Part) =>
  Object.entries(PLACES)
    .filter(([, place]) => place.part === part)
    .map(([name]) => name);

/** A database function that is not there, or that fails. */
function unreadable({ steps, invariants }: Findings): Todo[] {
  const calls = [
    ['loop_steps', steps],
    ['check_pipeline', invariants],
  ] as const;
  return calls.flatMap(([about, answer]) => {
    if (answer.code === 'missing') return [{ step: null, about, what_to_do: APPLY_MIGRATIONS }];
    if (answer.code === 'failed') {
      return [
        {
          step: null,
          about,
          what_to_do: `${about} failed: ${answer.message}. ${APPLY_MIGRATIONS}`,
        },
      ];
    }
    return [];
  });
}

/** Parts of which nothing was said. */
function unchecked(invariants: Answered<Invariant[]>, platform: DiagnosedPart[]): Todo[] {
  const unknown = platform.filter(({ status }) => status === 'unknown').map(({ part }) => part);
  if (invariants.code !== 'read' || unknown.length === 0) return [];
  return [
    {
      step: null,
      about: 'check_pipeline',
      what_to_do: `The database does not check ${unknown.join(', ')}. ${APPLY_MIGRATIONS}`,
    },
  ];
}

const invariantTodo = ({ name, measured, what_to_do }: Invariant): Todo => ({
  step: PLACES[name]?.step ?? PLACES[name]?.before ?? null,
  about: name,
  what_to_do: what_to_do || `${name}: ${measured ?? 'not as it should be'}.`,
});

const functionTodo = ({ name, measured, what_to_do }: FoundFunction): Todo => ({
  step: FUNCTION_STEPS[name],
  about: `function ${name}`,
  what_to_do: what_to_do || measured,
});

const stepTodo = ({ step, detail, what_to_do }: FoundStep): Todo => ({
  step,
  about: step,
  what_to_do: what_to_do || `${step}: ${detail ?? 'broken'}.`,
});

/** In the order of the loop; before a step what it needs of the platform, last what is of no step. */
function inLoopOrder(todo: Todo[]): Todo[] {
  const position = ({ step, about }: Todo) => {
    if (step === null) return STEP_NAMES.length;
    return STEP_NAMES.indexOf(step) - (PLACES[about]?.part ? 0.5 : 0);
  };
  return todo.toSorted((a, b) => position(a) - position(b));
}

/** What is to be done once is said once. */
function distinct(todo: Todo[]): Todo[] {
  return todo.filter(
    (one, index) => todo.findIndex((other) => other.what_to_do === one.what_to_do) === index,
  );
}
