import { existsSync } from 'node:fs';
import { CfnOutput, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { ScraperEnvironment } from '../../shared/contracts/environment.ts';
import { ScraperAlarms } from './alarms.ts';
import { InfraError } from './errors.ts';
import type { Settings } from './settings.ts';

/** Lambda gives CPU in proportion to memory (one vCPU at 1769 MB), and CPU is what Chromium lacks. */
const MEMORY_MEGABYTES = 1600;

/** The scraper leases its reads for 30 s longer than this, so that none is read twice at once. */
const TIMEOUT = Duration.seconds(120);

/** Chromium and its libraries unpack to 210 MB in /tmp; its profile and cache come on top. */
const TEMPORARY_STORAGE = Size.gibibytes(1);

/** An event that waited longer is of no use: the next one is there and claims the same reads. */
const EVENT_AGE = Duration.minutes(1);

export interface ScraperStackProps {
  settings: Settings;
  /** Folder with `index.mjs`. */
  handlerDirectory: string;
  /** Folder with `nodejs/node_modules`. */
  layerDirectory: string;
}

/**
 * The scraper in AWS: a function that runs every minute with Chromium from a layer, the secret
 * that holds its Supabase key, its log, and the alarms. It has no account or region of its own,
 * so describing it needs no credentials.
 *
 * Throws `build_missing` when one of the two folders does not exist.
 */
export class ScraperStack extends Stack {
  constructor(scope: Construct, id: string, props: ScraperStackProps) {
    super(scope, id, { description: 'Postloop: reads the numbers of posts from the pages of X' });
    const { settings } = props;

    const secret = scraperSecret(this);
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const scraper = new lambda.Function(this, 'Scraper', {
      description: 'Claims the reads that are due, reads the pages, records the numbers',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.X86_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(built(props.handlerDirectory)),
      layers: [chromiumLayer(this, built(props.layerDirectory))],
      memorySize: MEMORY_MEGABYTES,
      ephemeralStorageSize: TEMPORARY_STORAGE,
      timeout: TIMEOUT,
      ...(settings.reservedConcurrency === 'none'
        ? {}
        : { reservedConcurrentExecutions: settings.reservedConcurrency }),
      // A failed read is due again in the database; Lambda's own retry would only double it.
      retryAttempts: 0,
      maxEventAge: EVENT_AGE,
      environment: {
        ...scraperEnvironment(settings),
        POSTLOOP_SECRET_ARN: secret.ref,
        NODE_OPTIONS: '--enable-source-maps',
      },
      role: scraperRole(this, secret.ref, logGroup.logGroupArn),
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
    });

    const schedule = new scheduler.Schedule(this, 'EveryMinute', {
      description: 'Starts the scraper; it ends at once when nothing is due',
      schedule: scheduler.ScheduleExpression.rate(Duration.minutes(1)),
      target: new LambdaInvoke(scraper, { retryAttempts: 0, maxEventAge: EVENT_AGE }),
    });
    const alarms = new ScraperAlarms(this, 'Alarms', { scraper, settings });
    // The alarm on silence would ring while the function exists and its schedule does not.
    alarms.node.addDependency(schedule);

    new CfnOutput(this, 'SecretArn', { value: secret.ref });
    new CfnOutput(this, 'FunctionName', { value: scraper.functionName });
    new CfnOutput(this, 'LogGroupName', { value: logGroup.logGroupName });
  }
}

/**
 * Created empty (the L2 construct would fill it with a random password): until the key is put in,
 * reading it fails, which names the cause, instead of a call with a key that Supabase refuses.
 */
function scraperSecret(scope: Construct): CfnSecret {
  const secret = new CfnSecret(scope, 'SupabaseSecretKey', {
    description: 'The key of the Supabase project (text), or JSON with it and sessions of X',
  });
  secret.applyRemovalPolicy(RemovalPolicy.DESTROY);
  return secret;
}

function chromiumLayer(scope: Construct, directory: string): lambda.LayerVersion {
  return new lambda.LayerVersion(scope, 'Chromium', {
    description: 'Chromium for Lambda (@sparticuz/chromium)',
    code: lambda.Code.fromAsset(directory),
    compatibleRuntimes: [lambda.Runtime.NODEJS_24_X],
    compatibleArchitectures: [lambda.Architecture.X86_64],
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/** Narrower than AWSLambdaBasicExecutionRole, which may create and write every log group. */
function scraperRole(scope: Construct, secretArn: string, logGroupArn: string): iam.Role {
  return new iam.Role(scope, 'Role', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      scraper: new iam.PolicyDocument({
        statements: [
          new iam.PolicyStatement({
            actions: ['secretsmanager:GetSecretValue'],
            resources: [secretArn],
          }),
          new iam.PolicyStatement({
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [logGroupArn],
          }),
        ],
      }),
    },
  });
}

function scraperEnvironment(settings: Settings) {
  return {
    SUPABASE_URL: settings.supabaseUrl,
    METRICS_SOURCE: settings.metricsSource,
    X_BASE_URL: settings.xBaseUrl,
    CLAIM_LIMIT: String(settings.claimLimit),
    PAGE_CONCURRENCY: String(settings.pageConcurrency),
  } satisfies Partial<Record<keyof ScraperEnvironment, string>>;
}

function built(directory: string): string {
  if (existsSync(directory)) return directory;
  throw new InfraError('build_missing', `${directory} does not exist; run \`npm run build\` first`);
}
