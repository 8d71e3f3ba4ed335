/** What other policies would have earned, and whether what was said came true. */
export {
  auroc,
  calibrationError,
  coverage,
  type Forecast,
  type ReliabilityBin,
  reliabilityBins,
} from '../../simulation/reference/calibration.ts';
export { spearman } from '../../simulation/reference/ranks.ts';
export {
  bestOfSlate,
  type Candidate,
  dr,
  ips,
  LEAST_EFFECTIVE,
  type LoggedChoice,
  loggedChoiceSchema,
  type OffPolicyEstimate,
  type RewardModel,
  snips,
  type TargetPolicy,
  type WeightedChoice,
  weigh,
} from './off-policy.ts';
export {
  evaluatePolicy,
  type LoggedDecision,
  type LoggedSlates,
  loggedDecisionSchema,
  loggedSlatesSchema,
} from './policy-evaluation.ts';
export {
  type AdditiveModel,
  type AdditivePosterior,
  gainInModel,
  type MarginalChoice,
  type ModelGain,
  uniformByMarginals,
} from './uniform-baseline.ts';
