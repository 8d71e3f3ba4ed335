/** What is said of posts, policies and numbers, in worlds where it is known what comes true. */
import { judgeDrift } from './evaluation/drift.ts';
import { judgeIntegrity } from './evaluation/integrity.ts';
import { judgeOffPolicy } from './evaluation/off-policy.ts';
import { judgeProjections } from './evaluation/projection.ts';
import { judgeUniform } from './evaluation/uniform.ts';
import type { Topic } from './topic.ts';

export const evaluation: Topic = {
  name: 'evaluation',
  summary: 'projections, warnings, off-policy estimates, drift and fakes, where the truth is known',
  seeds: 20,
  run({ seeds }, progress) {
    const parts = [
      judgeProjections(seeds, progress),
      judgeOffPolicy(seeds, progress),
      judgeUniform(seeds, progress),
      judgeIntegrity(seeds, progress),
      judgeDrift(seeds, progress),
    ];
    return {
      bars: parts.flatMap(({ bars }) => bars),
      tables: parts.flatMap(({ tables }) => tables),
    };
  },
};
