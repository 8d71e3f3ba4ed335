/** Which post brought how many followers: pure formulas, the same as those of the database. */
export {
  type AccountHistory,
  ATTRIBUTION,
  type Attribution,
  type AttributionOptions,
  attributeAccount,
  type BlockRates,
  type HourLedger,
  interval90,
  type PostCredit,
  type Settled,
} from './account.ts';
export {
  type AttributedPost,
  addExposure,
  clickWeights,
  type ImpressionRead,
  type Segment,
  segmentsOf,
} from './exposure.ts';
export { gridFollowers, gridImpressions } from './grid.ts';
export { type FollowerSnapshot, type HourlyChanges, hourlyChanges } from './hours.ts';
export { fitLaggedRates, LAGS_H, laggedAt, lagKernel, USUAL_LAG_H } from './lag.ts';
export {
  dispersion,
  explainedPart,
  fitRates,
  fitRobustRates,
  quasiLikelihood,
  type Rates,
  type RobustRates,
  shrinkConversion,
} from './rates.ts';
export type { CreditSums } from './split.ts';
