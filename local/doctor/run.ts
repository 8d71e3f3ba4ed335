/**
 * `npm run doctor`: walks the loop of a deployment step by step and says where it stops and what to
 * do. It talks over HTTP only and writes nothing. Exit code 0: nothing is broken; 1: something is;
 * 2: it could not look.
 */
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { LocalError } from '../stack/errors.ts';
import { GATEWAY_PORT } from '../stack/gateway.ts';
import { LOCAL_SECRET_KEY } from '../stack/stack.ts';
import { diagnose } from './diagnose.ts';
import { isLocal, look, type Project } from './look.ts';
import { report } from './report.ts';

const USAGE = `npm run doctor -- [options]

  --url <url>   the project, https://<project-ref>.supabase.co (default: SUPABASE_URL, else the
                local stack at http://127.0.0.1:${GATEWAY_PORT})
  --key <key>   a secret key of it, sb_secret_… (default: SUPABASE_SECRET_KEY; not needed for the
                local stack). The variable keeps it out of the list of processes.
  --json        one JSON object on stdout
  --now <time>  look as of another moment, ISO 8601
  --help        this text

Exit code: 0 nothing is broken, 1 something is, 2 it could not look.
`;

const BROKEN = 1;
const COULD_NOT_LOOK = 2;

type Options = { project: Project; json: boolean; now: Date };

function parseOptions(): Options | 'help' {
  const { values } = parsed();
  if (values.help) return 'help';
  const now = values.now === undefined ? new Date() : new Date(values.now);
  if (Number.isNaN(now.getTime())) throw usageError(`--now ${values.now} is not a time`);
  return { project: projectOf(values), json: values.json, now };
}

function parsed() {
  try {
    return parseArgs({
      options: {
        url: { type: 'string' },
        key: { type: 'string' },
        json: { type: 'boolean', default: false },
        now: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw usageError((error as Error).message.replace(/\.$/, ''));
  }
}

function projectOf(given: { url?: string | undefined; key?: string | undefined }): Project {
  const url = given.url ?? process.env.SUPABASE_URL ?? '';
  // The key of the environment belongs to the address of the environment.
  const key = (
    given.key ??
    (given.url && isLocalUrl(given.url) ? '' : process.env.SUPABASE_SECRET_KEY) ??
    ''
  ).trim();
  if (url === '') {
    if (key !== '' && key !== LOCAL_SECRET_KEY) {
      throw usageError('There is a key and no address: give --url or SUPABASE_URL too');
    }
    return { url: `http://127.0.0.1:${GATEWAY_PORT}`, key: LOCAL_SECRET_KEY };
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw usageError(`${url} is not an address; it looks like https://<project-ref>.supabase.co`);
  }
  const { origin } = new URL(url);
  if (key !== '') return { url: origin, key: secretKey(key) };
  if (isLocalUrl(url)) return { url: origin, key: LOCAL_SECRET_KEY };
  throw usageError(`There is no key for ${origin}: give SUPABASE_SECRET_KEY or --key`);
}

const isLocalUrl = (url: string) => URL.canParse(url) && isLocal(new URL(url).hostname);

/** Keys that can be seen to be the wrong one, before anything is asked with them. */
function secretKey(key: string): string {
  const wrong = key.startsWith('sb_publishable_')
    ? 'a publishable key, which may read nothing'
    : key.startsWith('eyJ') && 'a JWT of the older kind, which the functions do not accept';
  if (!wrong) return key;
  throw new LocalError(
    'key_refused',
    `This is ${wrong}. Give a secret key, sb_secret_… from Settings, API keys.`,
  );
}

const usageError = (message: string) =>
  new LocalError('usage', `${message}. See npm run doctor -- --help.`);

/** Colours on a terminal only, whatever else the environment says. */
const colors = pc.createColors(Boolean(process.stdout.isTTY) && !process.env.NO_COLOR);

async function run({ project, json, now }: Options): Promise<void> {
  const diagnosis = diagnose(project.url, now, await look(project, now));
  console.log(json ? JSON.stringify(diagnosis) : report(diagnosis, colors));
  if (diagnosis.status === 'broken') process.exitCode = BROKEN;
}

try {
  const options = parseOptions();
  if (options === 'help') console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof LocalError ? error.message : error);
  process.exitCode = COULD_NOT_LOOK;
}
