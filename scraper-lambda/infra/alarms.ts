import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

const PERIOD = Duration.minutes(5);

export interface ScraperAlarmsProps {
  scraper: LambdaFunction;
  settings: Pick<Settings, 'alarmEmail' | 'alarmTopicArn'>;
}

/**
 * Two alarms: the scraper failed, and the scraper did not run. Both report to the topics of the
 * settings when they ring and when they are over; without a topic they only show in CloudWatch.
 */
export class ScraperAlarms extends Construct {
  constructor(scope: Construct, id: string, { scraper, settings }: ScraperAlarmsProps) {
    super(scope, id);

    const failed = new Alarm(this, 'Failed', {
      alarmDescription: 'The scraper ended with an error or ran into its timeout. See its log.',
      metric: scraper.metricErrors({ period: PERIOD, statistic: Stats.SUM }),
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });

    // CloudWatch has no data point for a period without an invocation, so missing is breaching.
    const silent = new Alarm(this, 'Silent', {
      alarmDescription: 'The scraper has not run for 10 minutes. See its schedule and throttles.',
      metric: scraper.metricInvocations({ period: PERIOD, statistic: Stats.SUM }),
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 2,
      treatMissingData: TreatMissingData.BREACHING,
    });

    for (const action of this.actions(settings)) {
      for (const alarm of [failed, silent]) {
        alarm.addAlarmAction(action);
        alarm.addOkAction(action);
      }
    }
  }

  private actions(settings: ScraperAlarmsProps['settings']): IAlarmAction[] {
    const actions: IAlarmAction[] = [];
    if (settings.alarmEmail !== undefined) {
      const topic = new Topic(this, 'Topic', { displayName: 'Postloop scraper' });
      topic.addSubscription(new EmailSubscription(settings.alarmEmail));
      actions.push(new SnsAction(topic));
    }
    if (settings.alarmTopicArn !== undefined) {
      const topic = Topic.fromTopicArn(this, 'GivenTopic', settings.alarmTopicArn);
      actions.push(new SnsAction(topic));
    }
    return actions;
  }
}
