/**
 * `npm run doctor`: walks the loop of a deployment step by step and says where it stops and what to
 * do. It talks over HTTP only and writes nothing. Exit code 0: nothing is broken; 1: something is;
 * 2: it could not look.
 */
import { LocalError } from '../stack/errors.ts';
import { GATEWAY_PORT } from '../stack/gateway.ts';
import { LOCAL_SECRET_KEY } from '../stack/stack.ts';
import { colors } from '../terminal/colors.ts';
import { runCommandLine } from '../terminal/command-line.ts';
import { address, moment, parseAddress, text, usageError } from '../terminal/options.ts';
import { diagnose } from './diagnose.ts';
import { isLocal, look, type Project } from './look.ts';
import { report } from './report.ts';

const LOCAL_URL = `http://127.0.0.1:${GATEWAY_PORT}`;
const HOSTED_URL = 'https://<project-ref>.supabase.co';
const COULD_NOT_LOOK = 2;

function projectOf(given: { url: URL | undefined; key: string | undefined }): Project {
  const variable = process.env.SUPABASE_URL;
  const url = given.url ?? (variable ? parseAddress(variable, HOSTED_URL) : undefined);
  // The key of the environment belongs to the address of the environment.
  const key = (
    given.key ??
    (given.url && isLocal(given.url.hostname) ? '' : process.env.SUPABASE_SECRET_KEY) ??
    ''
  ).trim();
  if (!url) {
    if (key !== '' && key !== LOCAL_SECRET_KEY) {
      throw usageError('There is a key and no address: give --url or SUPABASE_URL too.');
    }
    return { url: LOCAL_URL, key: LOCAL_SECRET_KEY };
  }
  const { origin, hostname } = url;
  if (key !== '') return { url: origin, key: secretKey(key) };
  if (isLocal(hostname)) return { url: origin, key: LOCAL_SECRET_KEY };
  throw usageError(`There is no key for ${origin}: give SUPABASE_SECRET_KEY or --key.`);
}

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

await runCommandLine({
  name: 'npm run doctor',
  options: {
    url: address(
      `the project, ${HOSTED_URL} (default: SUPABASE_URL, else the local stack at ${LOCAL_URL})`,
      HOSTED_URL,
    ),
    key: text(
      '<key>',
      'a secret key of it, sb_secret_… (default: SUPABASE_SECRET_KEY; not needed for the local stack). The variable keeps it out of the list of processes.',
    ),
    now: moment('look as of another moment, ISO 8601'),
  },
  notes: 'Exit code: 0 nothing is broken, 1 something is, 2 it could not look.',
  errorCode: COULD_NOT_LOOK,
  async run({ url, key, now = new Date() }, { show }) {
    const project = projectOf({ url, key });
    const diagnosis = diagnose(project.url, now, await look(project, now));
    show(diagnosis, () => report(diagnosis, colors));
    return diagnosis.status === 'broken' ? 1 : 0;
  },
});
