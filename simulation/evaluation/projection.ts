/** Young posts projected to 48 hours, and the warning that one will be among the best. */
import { atLeast, atMost } from '../../local/terminal/bars.ts';
import { measureProjection, type ProjectionMeasures } from '../studies/growth-study.ts';
import type { SimulationResult } from '../topic.ts';
import { type ImpressionWorld, USUAL_IMPRESSIONS } from '../worlds/impressions.ts';
import { type Progress, within } from './part.ts';

const MATURE_POSTS = 180;
const FEW_MATURE_POSTS = 40;

const IMPRESSION_WORLDS: { name: string; world: ImpressionWorld; maturePosts: number }[] = [
  { name: 'usual', world: USUAL_IMPRESSIONS, maturePosts: MATURE_POSTS },
  {
    name: 'one in ten seen again',
    world: { ...USUAL_IMPRESSIONS, cascadeShare: 0.1 },
    maturePosts: MATURE_POSTS,
  },
  {
    name: 'one in four seen again',
    world: { ...USUAL_IMPRESSIONS, cascadeShare: 0.25 },
    maturePosts: MATURE_POSTS,
  },
  { name: '40 mature posts', world: USUAL_IMPRESSIONS, maturePosts: FEW_MATURE_POSTS },
  {
    name: 'tiny account',
    world: { ...USUAL_IMPRESSIONS, medianImpressions: 20 },
    maturePosts: MATURE_POSTS,
  },
  {
    name: 'big posts live longer',
    world: { ...USUAL_IMPRESSIONS, sizeHalfLifeCorrelation: 0.5 },
    maturePosts: MATURE_POSTS,
  },
];
const WARNED_WORLDS = ['usual', 'one in ten seen again'] as const;

export function judgeProjections(seeds: number, progress: Progress): SimulationResult {
  const measured = new Map<string, ProjectionMeasures[]>();
  for (const { name, world, maturePosts } of IMPRESSION_WORLDS) {
    progress(`Young posts: ${name}`);
    measured.set(name, measureProjection(seeds, world, maturePosts));
  }
  const at2h = (name: string, key: 'spread' | 'coverage' | 'calibrationError' | 'auroc') =>
    measured.get(name)?.find(({ phase }) => phase === '2h')?.[key] ?? Number.NaN;
  const coverages2h = IMPRESSION_WORLDS.map(({ name }) => at2h(name, 'coverage'));
  const coverages = [...measured.values()].flat().map((one) => one.coverage);
  return {
    bars: [
      atMost('R1 spread of the projection at 2 h', at2h('usual', 'spread'), 0.25),
      ...within('R1 coverage of 90 % at 2 h', [at2h('usual', 'coverage')], 0.86, 0.94),
      ...within('R1 coverage of 90 % at 2 h, 6 worlds', coverages2h, 0.86, 0.94),
      // no upper bar: where a count hardly moves any more, ranges of whole numbers hold too much
      atLeast('R1 coverage of 90 % at any age, 6 worlds, least', Math.min(...coverages), 0.86),
      ...WARNED_WORLDS.flatMap((name) => [
        atMost(`V1 ${name}: calibration error at 2 h`, at2h(name, 'calibrationError'), 0.05),
        atLeast(`V1 ${name}: AUROC at 2 h`, at2h(name, 'auroc'), 0.95),
      ]),
    ],
    tables: [
      {
        title: 'Posts projected to 48 h, and the warning that one will be among the best 5 %',
        head: ['world', 'age', 'share seen', 'spread', 'coverage', 'calibration error', 'AUROC'],
        rows: [...measured].flatMap(([name, phases]) =>
          phases.map((one, index) => [
            index === 0 ? name : '',
            one.phase,
            one.share,
            one.spread,
            one.coverage,
            one.calibrationError,
            one.auroc,
          ]),
        ),
      },
    ],
  };
}
