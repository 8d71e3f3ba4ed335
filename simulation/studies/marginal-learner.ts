/** The learner that came before the joint one: each value of each dimension on its own. */
import {
  dimensionPrior,
  meanDistribution,
  nigPosterior,
  type StudentT,
} from '../../shared/learning/marginal.ts';
import type { ValueStatistics } from '../../shared/learning/statistics.ts';
import { studentTCdf, studentTQuantile } from '../reference/student-t.ts';

/** A value's name and the weighted sums of its posts. */
export type ValueSums = Pick<ValueStatistics, 'dimension' | 'value' | 'n' | 's1' | 's2'>;

/** The posterior of a value's mean reward, and its distance from the mean of the dimension. */
export type MarginalEffect = {
  dimension: string;
  value: string;
  posterior: StudentT;
  effect: number;
  effect_low_80: number;
  effect_high_80: number;
  effect_low_90: number;
  effect_high_90: number;
  prob_above_average: number;
};

/**
 * Values of other dimensions are not adjusted for, so what goes together shares its effects.
 *
 * @returns the effects in the order of the input, and per dimension the t of a value never used
 */
export function learnMarginalEffects(values: readonly ValueSums[]): {
  priors: Record<string, StudentT>;
  effects: MarginalEffect[];
} {
  const priorOf = new Map(
    [...new Set(values.map(({ dimension }) => dimension))].map((dimension) => [
      dimension,
      dimensionPrior(values.filter((value) => value.dimension === dimension)),
    ]),
  );
  return {
    priors: Object.fromEntries(
      [...priorOf].map(([dimension, prior]) => [
        dimension,
        meanDistribution(nigPosterior({ n: 0, s1: 0, s2: 0 }, prior)),
      ]),
    ),
    effects: values.flatMap(({ dimension, value, ...sums }) => {
      const prior = priorOf.get(dimension);
      if (!prior) return [];
      const posterior = meanDistribution(nigPosterior(sums, prior));
      const { scale, df } = posterior;
      const effect = posterior.mean - prior.m0;
      const half80 = studentTQuantile(0.9, df) * scale;
      const half90 = studentTQuantile(0.95, df) * scale;
      return {
        dimension,
        value,
        posterior,
        effect,
        effect_low_80: effect - half80,
        effect_high_80: effect + half80,
        effect_low_90: effect - half90,
        effect_high_90: effect + half90,
        prob_above_average: studentTCdf(effect / scale, df),
      };
    }),
  };
}
