/** What an invocation tells CloudWatch: counts by outcome, pages, time a read, degraded share. */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Outcome } from '../../shared/contracts/read.ts';

const NAMESPACE = 'Postloop';

export type InvocationNumbers = {
  byOutcome: Partial<Record<Outcome, number>>;
  pages: number;
  /** Wall time of the reading, in milliseconds. */
  readingMs: number;
};

/** Publishes them where Lambda picks them up; nothing outside of Lambda. */
export function publishMetrics({ byOutcome, pages, readingMs }: InvocationNumbers): void {
  if (!process.env.AWS_LAMBDA_FUNCTION_NAME) return;
  const metrics = new Metrics({ namespace: NAMESPACE, serviceName: 'scraper' });
  const tried = Object.entries(byOutcome).filter(([outcome]) => outcome !== 'released');
  const reads = tried.reduce((sum, [, count]) => sum + count, 0);
  for (const [outcome, count] of Object.entries(byOutcome)) {
    metrics
      .singleMetric()
      .addDimension('outcome', outcome)
      .addMetric('Reads', MetricUnit.Count, count);
  }
  metrics.addMetric('Pages', MetricUnit.Count, pages);
  if (reads > 0) {
    metrics.addMetric('ReadDuration', MetricUnit.Milliseconds, readingMs / reads);
    metrics.addMetric(
      'DegradedShare',
      MetricUnit.Percent,
      (100 * (byOutcome.degraded ?? 0)) / reads,
    );
  }
  metrics.publishStoredMetrics();
}
