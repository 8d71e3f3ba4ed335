/** What the pages promise, as far as it can be checked without running the pipeline. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY, runCommand, tool } from '../../local/stack/commands.ts';

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');

const PAGES = ['README.md', ...readdirSync(join(REPOSITORY, 'docs')).map((name) => `docs/${name}`)];
const ROOMS = '.ci bench docs local scraper-lambda shared simulation supabase tests'.split(' ');

const FENCED = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;
const prose = (page: string) => read(page).replace(FENCED, '');
/** Everything in backticks: the spans of the text and the blocks. */
const code = (page: string) => [
  ...[...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span),
  ...[...read(page).matchAll(FENCED)].map(([, , block = '']) => block),
];
const found = (texts: string[], pattern: RegExp) => [
  ...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, one = '']) => one))),
];

/** The anchors that GitHub gives to the headings of a page. */
function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The names of all files of the repository, without what is installed or built. */
function fileNames(): Set<string> {
  const paths = ROOMS.flatMap((room) =>
    readdirSync(join(REPOSITORY, room), { recursive: true, encoding: 'utf8' }),
  );
  return new Set(
    paths.filter((path) => !path.includes('node_modules')).map((path) => basename(path)),
  );
}

const FILE_NAMES = fileNames();

describe.each(PAGES)('%s', (page) => {
  it('links to pages and headings that exist', () => {
    const links = found([prose(page)], /\]\((?!https?:)([^)\s]+)\)/g);
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(REPOSITORY, target))) return true;
      return anchor !== undefined && !anchors(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files and folders that exist', () => {
    const rooms = ROOMS.map((room) => room.replace('.', '\\.')).join('|');
    const path = new RegExp(
      `(?<![\\w/.@-])(?:\\./)?((?:${rooms})/[\\w./-]*\\w)(?![\\w<*…-]|[./][\\w<*…])`,
      'g',
    );
    const missing = found(code(page), path).filter((one) => !existsSync(join(REPOSITORY, one)));
    const strangers = found(code(page), /^([\w.-]+\.(?:ts|sql|sh))$/g).filter(
      (name) => !FILE_NAMES.has(name),
    );
    expect([...missing, ...strangers]).toEqual([]);
  });

  it('names scripts that exist, and folders of tests', () => {
    const scripts = ['package.json', 'scraper-lambda/package.json'].flatMap((manifest) =>
      Object.keys(JSON.parse(read(manifest)).scripts),
    );
    const named = found(code(page), /\bnpm run (?:--\S+ )*([\w-]+)/g);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
    const projects = found(code(page), /--project ([a-z-]+)/g);
    expect(projects.filter((name) => !existsSync(join(REPOSITORY, 'tests', name)))).toEqual([]);
  });
});

it('every page of docs is in the table of the README', () => {
  const listed = found([read('README.md')], /^\| \[[\w-]+\.md\]\((docs\/[\w-]+\.md)\)/gm);
  expect(listed.sort()).toEqual(PAGES.filter((page) => page !== 'README.md').sort());
});

it('every folder of code is in the table of parts', () => {
  const [table = ''] = /^\| folder[\s\S]*?\n\n/m.exec(read('docs/architecture.md')) ?? [];
  const inside = ['local', 'scraper-lambda', 'shared', 'supabase'].flatMap((room) =>
    readdirSync(join(REPOSITORY, room), { withFileTypes: true })
      .filter((one) => one.isDirectory() && !/^\.|^(node_modules|dist|cdk\.out)$/.test(one.name))
      .map(({ name }) => `${room}/${name}`),
  );
  const folders = [...inside, 'bench', 'simulation', 'tests'];
  expect(folders.filter((folder) => !table.includes(`\`${folder}\``))).toEqual([]);
});

describe('the bot in the README', () => {
  let folder: string;
  let file: string;
  let project: Server;
  const calls: unknown[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postloop-test-'));
    file = join(folder, 'bot.mts');
    const [snippet] = [...read('README.md').matchAll(FENCED)].filter(([, lang]) => lang === 'ts');
    await writeFile(file, snippet?.[2] ?? '');
    project = createServer(async (request, response) => {
      const body = JSON.parse((await request.toArray()).join(''));
      calls.push({ path: request.url, key: request.headers.apikey, body });
      const decision = { decision_id: 'd1', dimensions: { tone: 'dry' }, prompt: 'Write.' };
      response.end(JSON.stringify({ decisions: [decision] }));
    });
    await new Promise<void>((listening) => project.listen(0, '127.0.0.1', listening));
  });
  afterAll(async () => {
    project?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  it('type-checks with the settings of this repository', async () => {
    const settings = {
      extends: join(REPOSITORY, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(REPOSITORY, 'node_modules/@types')] },
      include: ['bot.mts'],
      exclude: [],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const { stdout } = await runCommand(tool('tsc'), ['-p', folder]);
    expect(stdout).toBe('');
  }, 60_000);

  it('runs as printed: asks for a decision, then tracks an id of this moment', async () => {
    const { port } = project.address() as AddressInfo;
    const env = { SUPABASE_URL: `http://127.0.0.1:${port}`, SUPABASE_SECRET_KEY: 'sb_secret_x' };
    const { code: exit, stderr } = await runCommand(process.execPath, [file], { env });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(calls).toEqual([
      {
        path: '/functions/v1/recommend',
        key: 'sb_secret_x',
        body: { account: 'postloop_demo' },
      },
      {
        path: '/functions/v1/track-post',
        key: 'sb_secret_x',
        body: { decision_id: 'd1', post_id: expect.stringMatching(/^\d{19}$/) },
      },
    ]);
  }, 60_000);
});
