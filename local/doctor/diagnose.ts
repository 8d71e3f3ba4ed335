/** From what was found to where the loop stops and what to do about it. Pure. */
import {
  type Invariant,
  type LoopStep,
  type PlatformPart,
  platformPartSchema,
  type StepName,
  stepNameSchema,
} from '../../shared/contracts/job.ts';
import type { Answered, Findings, FoundFunction, FunctionName } from './look.ts';

/** The step that needs each part of the platform first: what to do about it comes before that. */
const PART_STEPS: Record<PlatformPart, StepName> = {
  Vault: 'attribution',
  cron: 'attribution',
  pg_net: 'attribution',
  'Lambda heartbeat': 'due_reads',
  schema: 'decision',
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

/** A step with, in `failing`, the functions that break it too. */
export type DiagnosedStep = LoopStep;

type DiagnosedPart = {
  part: PlatformPart;
  /** unknown: the database does not check it. */
  status: 'ok' | 'warning' | 'failing' | 'unknown';
  measured: string;
};

/** One thing to do; `step` is the step that it mends or serves, null for the whole. */
export type Todo = { step: StepName | null; about: string; what_to_do: string };

type PlacedTodo = Todo & { part: PlatformPart | null };

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
  const platform = platformPartSchema.options.map((part) => diagnosePart(part, invariants));
  const functions = findings.functions;
  const found = findings.steps.code === 'read' ? findings.steps.data : [];
  const steps = found.map((step) => diagnoseStep(step, functions));
  const todo = distinct([
    ...unreadable(findings),
    ...unchecked(findings.invariants, platform),
    ...inLoopOrder([
      ...invariants.filter(({ status }) => status === 'failing').map(invariantTodo),
      ...functions.filter(({ state }) => state !== 'ok').map(functionTodo),
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
export const isOfWholePipeline = ({ step, part }: Invariant) => step === null && part === null;

function diagnoseStep(step: LoopStep, functions: FoundFunction[]): DiagnosedStep {
  const unwell = functions.filter(
    ({ name, state }) => state !== 'ok' && FUNCTION_STEPS[name] === step.step,
  );
  const failing = [...step.failing, ...unwell.map(({ name }) => name)];
  return { ...step, state: failing.length > 0 ? 'broken' : step.state, failing };
}

function diagnosePart(part: PlatformPart, invariants: Invariant[]): DiagnosedPart {
  const own = invariants.filter((one) => one.part === part);
  const worst = (['failing', 'warning', 'ok'] as const).find((status) =>
    own.some((one) => one.status === status),
  );
  if (worst === undefined) {
    return { part, status: 'unknown', measured: 'the database does not check it' };
  }
  const shown = own.filter(({ status }) => status === worst).map(({ measured }) => measured);
  return { part, status: worst, measured: shown.filter(Boolean).join('; ') };
}

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

const invariantTodo = ({ name, measured, what_to_do, step, part }: Invariant): PlacedTodo => ({
  step: step ?? (part && PART_STEPS[part]),
  part,
  about: name,
  what_to_do: what_to_do || `${name}: ${measured ?? 'not as it should be'}.`,
});

const functionTodo = ({ name, measured, what_to_do }: FoundFunction): PlacedTodo => ({
  step: FUNCTION_STEPS[name],
  part: null,
  about: `function ${name}`,
  what_to_do: what_to_do || measured,
});

/** In the order of the loop; before a step what it needs of the platform, last what is of no step. */
function inLoopOrder(todo: PlacedTodo[]): Todo[] {
  const position = ({ step, part }: PlacedTodo) => {
    if (step === null) return stepNameSchema.options.length;
    return stepNameSchema.options.indexOf(step) - (part ? 0.5 : 0);
  };
  return todo
    .toSorted((a, b) => position(a) - position(b))
    .map(({ step, about, what_to_do }) => ({ step, about, what_to_do }));
}

/** What is to be done once is said once. */
function distinct(todo: Todo[]): Todo[] {
  return todo.filter(
    (one, index) => todo.findIndex((other) => other.what_to_do === one.what_to_do) === index,
  );
}
