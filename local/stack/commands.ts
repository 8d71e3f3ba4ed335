/** Runs the repository's own command line tools and keeps what they print. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guardProcess } from './guard.ts';

/** The repository, with a slash at the end. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

export type CommandResult = { code: number; stdout: string; stderr: string };

/** Path of an installed package's command. */
export const tool = (name: string) => join(REPOSITORY, 'node_modules', '.bin', name);

/** Runs a command to its end; one that cannot be started has code 127 and says why on stderr. */
export async function runCommand(
  command: string,
  args: string[],
  options: { input?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? REPOSITORY,
    env: { ...process.env, ...options.env },
  });
  guardProcess(child);
  const result: CommandResult = { code: 127, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    result.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    result.stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  await new Promise<void>((resolve) => {
    child.once('error', (error) => {
      result.stderr += error.message;
      resolve();
    });
    child.once('close', (code) => {
      result.code = code ?? 1;
      resolve();
    });
  });
  return result;
}
