/** What to learn from an account's finished posts, and what to recommend next. */
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
export {
  type LearningStatistics,
  learningStatisticsSchema,
  type ValueStatistics,
  valueStatisticsSchema,
} from './statistics.ts';
export { studentTCdf, studentTQuantile } from './student-t.ts';
