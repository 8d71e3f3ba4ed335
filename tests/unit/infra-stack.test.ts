import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import recommendedFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { afterAll, describe, expect, it } from 'vitest';
import { InfraError } from '../../scraper-lambda/infra/errors.ts';
import { readSettings } from '../../scraper-lambda/infra/settings.ts';
import { ScraperStack } from '../../scraper-lambda/infra/stack.ts';
import { scraperEnvironmentSchema } from '../../shared/contracts/environment.ts';

const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-abc123';

const folder = mkdtempSync(join(tmpdir(), 'postloop-infra-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for the build output: the template holds only the fingerprint of the folder. */
const built = join(folder, 'built');
mkdirSync(built);
writeFileSync(join(built, 'index.mjs'), 'export const handler = async () => ({});\n');

function synthesise(context: Record<string, unknown> = {}, directory = built): Template {
  const given: Record<string, unknown> = {
    supabaseUrl: 'https://example.supabase.co',
    ...context,
  };
  const app = new App({
    context: recommendedFlags,
    outdir: mkdtempSync(join(folder, 'synthesised-')),
  });
  const stack = new ScraperStack(app, 'PostloopScraper', {
    settings: readSettings((name) => given[name], {}),
    handlerDirectory: directory,
    layerDirectory: directory,
  });
  return Template.fromStack(stack);
}

const template = synthesise();
const only = (type: string, from = template): [id: string, properties: Record<string, unknown>] => {
  const found = Object.entries(from.findResources(type));
  expect(found).toHaveLength(1);
  const [id, resource] = found[0] as [string, { Properties: Record<string, unknown> }];
  return [id, resource.Properties];
};

describe('the function', () => {
  it('runs on Node 24 for x86_64 with room for Chromium in memory and in /tmp', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      Handler: 'index.handler',
      MemorySize: 1600,
      EphemeralStorage: { Size: 1024 },
    });
  });

  it('ends after 120 seconds, whatever a page does', () => {
    template.hasResourceProperties('AWS::Lambda::Function', { Timeout: 120 });
  });

  it('is invoked at most twice at the same time unless the settings say otherwise', () => {
    const concurrency = (of: Template) =>
      only('AWS::Lambda::Function', of)[1].ReservedConcurrentExecutions;
    expect(concurrency(template)).toBe(2);
    expect(concurrency(synthesise({ reservedConcurrency: '5' }))).toBe(5);
    expect(concurrency(synthesise({ reservedConcurrency: 'none' }))).toBeUndefined();
  });

  it('gets an environment that the scraper accepts', () => {
    const [, { Environment }] = only(
      'AWS::Lambda::Function',
      synthesise({ claimLimit: '25', pageConcurrency: '3', xBaseUrl: 'https://x.example' }),
    );
    const { Variables } = Environment as { Variables: Record<string, unknown> };
    expect(Variables.POSTLOOP_SECRET_ARN).toEqual({
      Ref: only('AWS::SecretsManager::Secret')[0],
    });
    expect(
      scraperEnvironmentSchema.parse({ ...Variables, POSTLOOP_SECRET_ARN: SECRET_ARN }),
    ).toMatchObject({
      SUPABASE_URL: 'https://example.supabase.co',
      POSTLOOP_SECRET_ARN: SECRET_ARN,
      METRICS_SOURCE: 'browser',
      X_BASE_URL: 'https://x.example',
      CLAIM_LIMIT: 25,
      PAGE_CONCURRENCY: 3,
    });
  });

  it('finds Chromium in a layer for the same runtime and architecture', () => {
    const [layerId] = only('AWS::Lambda::LayerVersion');
    template.hasResourceProperties('AWS::Lambda::LayerVersion', {
      CompatibleRuntimes: ['nodejs24.x'],
      CompatibleArchitectures: ['x86_64'],
    });
    expect(only('AWS::Lambda::Function')[1].Layers).toEqual([{ Ref: layerId }]);
  });

  it('is told to ask the X API, where the settings say so', () => {
    const stack = synthesise({ metricsSource: 'api' });
    const { Variables } = only('AWS::Lambda::Function', stack)[1].Environment as {
      Variables: Record<string, unknown>;
    };
    expect(Variables).toMatchObject({ METRICS_SOURCE: 'api' });
  });

  it('writes to a log group that keeps one month', () => {
    const [logGroupId, { RetentionInDays }] = only('AWS::Logs::LogGroup');
    expect(RetentionInDays).toBe(30);
    expect(only('AWS::Lambda::Function')[1].LoggingConfig).toEqual({
      LogFormat: 'JSON',
      LogGroup: { Ref: logGroupId },
    });
  });
});

describe('its rights', () => {
  it('are reading its secret and writing its log, and nothing else', () => {
    const roles = template.findResources('AWS::IAM::Role', {
      Properties: {
        AssumeRolePolicyDocument: {
          Statement: [{ Principal: { Service: 'lambda.amazonaws.com' } }],
        },
      },
    });
    const [[roleId, role]] = Object.entries(roles) as [[string, { Properties: object }]];
    expect(only('AWS::Lambda::Function')[1].Role).toEqual({ 'Fn::GetAtt': [roleId, 'Arn'] });
    expect(role.Properties).toEqual({
      AssumeRolePolicyDocument: expect.anything(),
      Policies: [
        {
          PolicyName: 'scraper',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: 'secretsmanager:GetSecretValue',
                Resource: { Ref: only('AWS::SecretsManager::Secret')[0] },
              },
              {
                Effect: 'Allow',
                Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
                Resource: { 'Fn::GetAtt': [only('AWS::Logs::LogGroup')[0], 'Arn'] },
              },
            ],
          },
        },
      ],
    });
  });

  it('no role of the stack uses a managed policy or may do more than the schedule needs', () => {
    const roles = Object.values(template.findResources('AWS::IAM::Role'));
    expect(roles).toHaveLength(2);
    for (const role of roles) expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');

    const arn = { 'Fn::GetAtt': [only('AWS::Lambda::Function')[0], 'Arn'] };
    expect(only('AWS::IAM::Policy')[1].PolicyDocument).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'lambda:InvokeFunction',
          Resource: [arn, { 'Fn::Join': ['', [arn, ':*']] }],
        },
      ],
    });
  });
});

describe('the schedule', () => {
  it('starts the scraper every minute and never repeats a start', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      State: 'ENABLED',
      Target: {
        Arn: { 'Fn::GetAtt': [only('AWS::Lambda::Function')[0], 'Arn'] },
        RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      },
    });
  });

  it('a failed invocation is not retried by Lambda either', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: only('AWS::Lambda::Function')[0] },
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });
});

describe('the secret', () => {
  it('is created empty, and encrypted by the account’s key for secrets as no other is named', () => {
    const [, properties] = only('AWS::SecretsManager::Secret');
    expect(Object.keys(properties)).toEqual(['Description']);
    expect(JSON.stringify(template.toJSON())).not.toMatch(/POSTLOOP_SECRET_KEY|sb_secret_[^…]/);
  });
});

describe('the alarms', () => {
  const scraperDimension = [
    { Name: 'FunctionName', Value: { Ref: only('AWS::Lambda::Function')[0] } },
  ];

  it('one rings when an invocation fails', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      Dimensions: scraperDimension,
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 1,
      TreatMissingData: 'notBreaching',
    });
  });

  it('one rings when nothing was invoked for ten minutes', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'AWS/Lambda',
      MetricName: 'Invocations',
      Dimensions: scraperDimension,
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 2,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
  });

  it('without an address they stay in CloudWatch and no topic is made', () => {
    template.resourceCountIs('AWS::CloudWatch::Alarm', 2);
    template.resourceCountIs('AWS::SNS::Topic', 0);
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: Match.absent() });
  });

  it('an e-mail address gets a topic to which both alarms report', () => {
    const withEmail = synthesise({ alarmEmail: 'owner@example.com' });
    const topic = { Ref: only('AWS::SNS::Topic', withEmail)[0] };
    withEmail.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'owner@example.com',
      TopicArn: topic,
    });
    withEmail.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [topic],
      OKActions: [topic],
    });
  });

  it('a topic that exists is used as it is', () => {
    const alarmTopicArn = 'arn:aws:sns:eu-central-1:123456789012:on-call';
    const withTopic = synthesise({ alarmTopicArn });
    withTopic.resourceCountIs('AWS::SNS::Topic', 0);
    withTopic.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [alarmTopicArn],
      OKActions: [alarmTopicArn],
    });
  });
});

it('the stack names no account and no region, so that it synthesises without credentials', () => {
  expect(JSON.stringify(template.toJSON())).not.toMatch(/\d{12}|\b[a-z]{2}-[a-z]+-\d\b/);
});

it('a missing build says to run the build', () => {
  const missing = join(folder, 'not-built');
  expect(() => synthesise({}, missing)).toThrowError(InfraError);
  expect(() => synthesise({}, missing)).toThrowError(
    /not-built does not exist; run `npm run build`/,
  );
});
