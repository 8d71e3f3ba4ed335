/** What a policy would have earned on an account's logged decisions, with every reason to doubt it. */
import { z } from 'zod';
import { momentSchema, postKindSchema } from '../contracts/identifiers.ts';
import type { PolicyEstimate, PolicyEvaluationReply } from '../contracts/policy-evaluation.ts';
import { jointModelOf } from '../learning/joint-model.ts';
import { HALF_90 } from '../learning/normal.ts';
import { crossFit, type DecidedPost } from './cross-fit.ts';
import {
  bestOfSlate,
  dr,
  fromMean,
  LEAST_EFFECTIVE,
  type OffPolicyEstimate,
  snips,
  weigh,
} from './off-policy.ts';
import { gainInModel } from './uniform-baseline.ts';

// The database has checked the names; a second check would be 240,000 names a call.
const combinationSchema = z.record(z.string(), z.string());

/** A recommended decision whose post is finished. `chosen` is an index into `slate`. */
const loggedDecisionSchema = z.object({
  decision_id: z.string(),
  policy: z.string(),
  slate: z.array(combinationSchema).min(1),
  chosen: z.int().nonnegative(),
  propensity: z.number().gt(0).max(1),
  reward: z.number(),
  posted_at: momentSchema,
  kind: postKindSchema,
  followers: z.number().nullable(),
});
export type LoggedDecision = z.infer<typeof loggedDecisionSchema>;

/** What the SQL function `logged_slates` returns. */
export const loggedSlatesSchema = z.discriminatedUnion('code', [
  z.object({
    code: z.literal('ready'),
    account_id: z.int(),
    handle: z.string(),
    /** The values in use. */
    vocabulary: z.record(z.string(), z.array(z.string())),
    decisions: z.array(loggedDecisionSchema),
  }),
  z.object({ code: z.literal('account_unknown') }),
]);
export type LoggedSlates = Extract<z.infer<typeof loggedSlatesSchema>, { code: 'ready' }>;

/**
 * Judges a policy by decisions as they were assigned, whatever the writer made of them. Below 30
 * decisions every estimate is refused and no model is fitted.
 *
 * For `best_of_slate`, the model that chooses and the model behind `dr` are both fitted without the
 * fold of the decision at hand. For `uniform` nothing is reweighted, because the slates hold only
 * what the policy then preferred. The model says what the choices gained over uniform ones, and the
 * decisions of the uniform start show uniform choice itself.
 *
 * @throws PostloopError 500 `choice_invalid` for a pick outside of its slate
 */
export function evaluatePolicy(
  { decisions, vocabulary }: Pick<LoggedSlates, 'decisions' | 'vocabulary'>,
  policy: PolicyEvaluationReply['policy'],
): Pick<PolicyEvaluationReply, 'logged' | 'estimates'> {
  const { estimate: mean, standard_error, low_90, high_90 } = asDecided(decisions);
  const logged =
    mean === null || standard_error === null || low_90 === null || high_90 === null
      ? null
      : { decisions: decisions.length, mean, standard_error, low_90, high_90 };
  return {
    logged,
    estimates: policy === 'uniform' ? ofUniform(decisions, vocabulary) : ofBest(decisions),
  };
}

function ofBest(decisions: readonly LoggedDecision[]): PolicyEstimate[] {
  if (decisions.length < LEAST_EFFECTIVE) {
    return [refused('snips', decisions.length), refused('dr', decisions.length)];
  }
  const { folds, model } = crossFit(decisions.map(postOf));
  const rows = decisions.map(({ slate, chosen, propensity, reward }, index) => {
    return { slate, chosen, propensity, reward, fold: folds[index] ?? 0 };
  });
  const weighed = weigh(rows, bestOfSlate(model));
  return [reweighed('snips', snips(weighed)), reweighed('dr', dr(weighed, model))];
}

function ofUniform(
  decisions: readonly LoggedDecision[],
  vocabulary: LoggedSlates['vocabulary'],
): PolicyEstimate[] {
  const drawn = asDecided(decisions.filter(({ policy }) => policy === 'uniform'));
  return [inModel(decisions, vocabulary), drawn];
}

/** Mean reward less the gain over uniform choice that the additive model sees in what was assigned. */
function inModel(
  decisions: readonly LoggedDecision[],
  vocabulary: LoggedSlates['vocabulary'],
): PolicyEstimate {
  const n = decisions.length;
  if (n < LEAST_EFFECTIVE) return refused('model', n);
  const { whole, dimensions } = crossFit(decisions.map(postOf));
  const assigned = decisions.map(({ slate, chosen }) => slate[chosen] ?? {});
  const { gain, se } = gainInModel(assigned, vocabulary, jointModelOf(whole, dimensions, n));
  const estimate = decisions.reduce((sum, { reward }) => sum + reward, 0) / n - gain;
  return {
    ...refused('model', n),
    estimate,
    standard_error: se,
    low_90: estimate - HALF_90 * se,
    high_90: estimate + HALF_90 * se,
    refused: null,
  };
}

/** The mean reward of decisions as they were made. */
function asDecided(decisions: readonly LoggedDecision[]): PolicyEstimate {
  const method = 'uniform_draws';
  if (decisions.length < LEAST_EFFECTIVE) return refused(method, decisions.length);
  const rewards = decisions.map(({ reward }) => reward);
  const evenly = rewards.map(() => 1);
  return { ...reweighed(method, fromMean(rewards, evenly)), mean_weight: null };
}

function reweighed(method: PolicyEstimate['method'], given: OffPolicyEstimate): PolicyEstimate {
  return {
    method,
    estimate: given.estimate,
    standard_error: given.se,
    low_90: given.low90,
    high_90: given.high90,
    decisions: given.n,
    effective_n: given.ess,
    mean_weight: given.meanWeight,
    weight_alarm: given.weightAlarm,
    refused: given.refused ?? null,
  };
}

function refused(method: PolicyEstimate['method'], n: number): PolicyEstimate {
  return {
    method,
    estimate: null,
    standard_error: null,
    low_90: null,
    high_90: null,
    decisions: n,
    effective_n: null,
    mean_weight: null,
    weight_alarm: false,
    refused: 'effective_sample_too_small',
  };
}

function postOf(decision: LoggedDecision): DecidedPost {
  return {
    decisionId: decision.decision_id,
    values: decision.slate[decision.chosen] ?? {},
    postedAt: new Date(decision.posted_at),
    kind: decision.kind,
    followers: decision.followers,
    reward: decision.reward,
  };
}
