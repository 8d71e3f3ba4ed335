/** The door to the learner and to the drawing of decisions. */
export {
  changedAlarms,
  learnAccount,
} from '../../../shared/learning/learn.ts';
export { risingBlock } from '../../../shared/learning/prompt.ts';
export {
  type DrawnDecision,
  decide,
  type RecommendationInputs,
  recommendationInputsSchema,
} from '../../../shared/learning/recommend.ts';
export {
  type LearningStatistics,
  learningStatisticsSchema,
} from '../../../shared/learning/statistics.ts';
