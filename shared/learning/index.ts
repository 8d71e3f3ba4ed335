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
  type DesignOptions,
  type DesignPost,
  designOf,
  dimensionGroups,
} from './design.ts';
export {
  type ContrastOptions,
  contrasts,
  type DimensionGroup,
  type ValueEffect,
  valueEffectSchema,
} from './effects.ts';
export { type JointModel, jointModelOf, jointModelSchema } from './joint-model.ts';
export { type JointEvidence, jointPromptBlock, type ValueEvidence } from './joint-prompt.ts';
export {
  type DimensionPerformanceRow,
  dimensionPerformanceRowSchema,
  type LearnedMarginals,
  learnMarginals,
  meanDistribution,
  type NigPosterior,
  type NigPrior,
  nigPosterior,
  type StudentT,
  studentTSchema,
  type WeightedSums,
} from './marginal.ts';
export { promptBlock } from './prompt.ts';
export { gamma, mulberry32, normal, type Rng, studentT } from './random.ts';
export {
  type DimensionInput,
  dimensionInputSchema,
  drawSlate,
  type RecommendationInputs,
  readyInputsSchema,
  recommendationInputsSchema,
  type Slate,
  type SlateOptions,
  type ValueInput,
  valueInputSchema,
} from './recommend.ts';
export { type Rule, ruleSchema } from './rules.ts';
export {
  drawJointSlate,
  type JointPolicy,
  type JointSlate,
  type JointSlateInputs,
  type JointSlateOptions,
  type JointSlateOutcome,
  jointPolicySchema,
  jointSlateInputsSchema,
  jointSlateSchema,
} from './slate.ts';
export {
  type LearningStatistics,
  learningStatisticsSchema,
  type ValueStatistics,
  valueStatisticsSchema,
} from './statistics.ts';
export { studentTCdf, studentTQuantile } from './student-t.ts';
