/** What to learn from an account's finished posts, and what to recommend next. */
export {
  type AdditiveFit,
  ALARM_DISCOUNT,
  addRow,
  emptyMoments,
  type FeatureGroup,
  type FitOptions,
  fitAdditive,
  gramOf,
  HALF_LIFE_DAYS,
  INTERCEPT_VARIANCE,
  type PostAge,
  postWeight,
  type SparseRow,
  scaleMoments,
  type WeightedMoments,
} from './additive.ts';
export {
  type Design,
  type DesignPost,
  designOf,
  dimensionGroups,
} from './design.ts';
export { type DatedResidual, type DriftAlarm, driftAlarms } from './drift.ts';
export {
  type ContrastOptions,
  contrasts,
  type DimensionGroup,
  type ValueEffect,
  valueEffectSchema,
} from './effects.ts';
export { type JointModel, jointModelOf, jointModelSchema } from './joint-model.ts';
export {
  changedAlarms,
  type Learned,
  type LearnedModel,
  type LearnedValue,
  learnAccount,
  learnedValueSchema,
} from './learn.ts';
export {
  learnMarginals,
  type MarginalValue,
  meanDistribution,
  type NigPosterior,
  type NigPrior,
  nigPosterior,
  type StudentT,
  type WeightedSums,
} from './marginal.ts';
export {
  choicesBlock,
  type PromptEvidence,
  promptBlock,
  risingBlock,
  type ShownEffect,
  shownEffectSchema,
  type ValueEvidence,
  valueEvidenceSchema,
} from './prompt.ts';
export { gamma, mulberry32, normal, type Rng, studentT } from './random.ts';
export {
  type DecisionOutcome,
  type DrawnDecision,
  decide,
  type RecommendationInputs,
  readyInputsSchema,
  recommendationInputsSchema,
} from './recommend.ts';
export { type Rule, ruleSchema } from './rules.ts';
export {
  drawJointSlate,
  type JointSlate,
  type JointSlateInputs,
  type JointSlateOptions,
  type JointSlateOutcome,
  jointSlateInputsSchema,
  jointSlateSchema,
} from './slate.ts';
export {
  type LearningStatistics,
  learningStatisticsSchema,
  type ModelOutcome,
  OUTCOMES,
  type PackedMoments,
  packedMomentsSchema,
  type ValueStatistics,
  valueStatisticsSchema,
} from './statistics.ts';
