/** Made up numbers found, and real ones left alone. */
import { atLeast, atMost } from '../../local/terminal/bars.ts';
import { type IntegrityMeasures, measureIntegrity } from '../studies/integrity-study.ts';
import type { SimulationResult } from '../topic.ts';
import {
  type EngagementWorld,
  makeUpCounts,
  simulateCounts,
  USUAL_IMPRESSIONS,
} from '../worlds/impressions.ts';
import type { Progress } from './part.ts';

const ENGAGED: EngagementWorld = {
  ...USUAL_IMPRESSIONS,
  likesPerImpression: 0.01,
  rateLogSd: 0.5,
};
/** In those that are not judged, real posts do look drawn evenly: a limit of the rule. */
const REAL_POSTS: { name: string; world: EngagementWorld; isJudged: boolean }[] = [
  { name: 'usual', world: ENGAGED, isJudged: true },
  { name: 'small account', world: { ...ENGAGED, medianImpressions: 50 }, isJudged: true },
  { name: 'liked unlike', world: { ...ENGAGED, rateLogSd: 1 }, isJudged: true },
  { name: 'one in ten seen again', world: { ...ENGAGED, cascadeShare: 0.1 }, isJudged: true },
  { name: 'seen more alike', world: { ...ENGAGED, impressionsLogSd: 0.6 }, isJudged: true },
  { name: 'seen alike', world: { ...ENGAGED, impressionsLogSd: 0.3 }, isJudged: false },
  {
    name: 'seen alike, liked unlike',
    world: { ...ENGAGED, impressionsLogSd: 0.3, rateLogSd: 1 },
    isJudged: false,
  },
];

export function judgeIntegrity(seeds: number, progress: Progress): SimulationResult {
  progress('Made up numbers');
  const fakes = measureIntegrity(seeds, (rng) => makeUpCounts(rng, false));
  const sorted = measureIntegrity(seeds, (rng) => makeUpCounts(rng, true));
  const real = REAL_POSTS.map(({ name, world, isJudged }) => {
    progress(`Real posts: ${name}`);
    const measures = measureIntegrity(seeds, (rng) => simulateCounts(world, rng));
    return { name, isJudged, measures };
  });
  const falseAlarms = real
    .filter(({ isJudged }) => isJudged)
    .map(({ measures }) => measures.suspected);
  return {
    bars: [
      atLeast('D1 made up accounts flagged within 30 posts', fakes.flagged, 0.99),
      atLeast('D1 the same where no count falls', sorted.flagged, 0.9),
      atMost('D1 real accounts suspected, most of 5 worlds', Math.max(...falseAlarms), 0.01),
    ],
    tables: [
      {
        title: 'Shares of accounts with 30 posts that are flagged, and by which rule',
        head: [
          'numbers',
          'flagged',
          'or warned of',
          'uniform',
          'impossible',
          'falling',
          'posts that fall',
        ],
        rows: [
          integrityRow('made up', fakes),
          integrityRow('made up, each count sorted by age', sorted),
          ...real.map(({ name, measures }) => integrityRow(`real, ${name}`, measures)),
        ],
      },
    ],
  };
}

const integrityRow = (name: string, one: IntegrityMeasures) => [
  name,
  one.flagged,
  one.suspected,
  one.uniform,
  one.impossible,
  one.falling,
  one.fallingPosts,
];
