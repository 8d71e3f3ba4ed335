/** Progress of long work on stderr, each line with the time since the command began. */
import { canRedraw, stderrColors } from './colors.ts';
import { wrap } from './wrap.ts';

export type Progress = {
  /** A line of its own: what is being done now. */
  step(text: string): void;
  /** How far the work of a step is: one line that is redrawn, without a terminal a line a group. */
  advance(state: { text: string; group: string; share?: number }): void;
  /** Closes a line that is being redrawn. */
  end(): void;
};

type Stream = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean; columns?: number };

/** An estimate before this share of the work, or before this time, would be a guess. */
const LEAST_SHARE = 0.03;
const LEAST_MS = 5_000;

export function createProgress(
  stream: Stream = process.stderr,
  now = () => performance.now(),
): Progress {
  const redraws = canRedraw(stream);
  const width = redraws ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
  const startedAt = now();
  const time = () => `${((now() - startedAt) / 1000).toFixed(0).padStart(4)} s  `;
  let isLineOpen = false;
  let shownGroup: string | undefined;
  let stepStartedAt = startedAt;

  const end = () => {
    if (isLineOpen) stream.write('\n');
    isLineOpen = false;
  };
  return {
    step(text) {
      end();
      shownGroup = undefined;
      stepStartedAt = now();
      const stamp = time();
      const lines = wrap(text, width - stamp.length - 1).join(`\n${' '.repeat(stamp.length)}`);
      stream.write(`${stderrColors.dim(stamp + lines)}\n`);
    },
    advance({ text, group, share = 0 }) {
      const left = timeLeft(now() - stepStartedAt, share);
      const line = `${time()}${text}${left === undefined ? '' : `  ${left}`}`;
      if (redraws) stream.write(`\r${line.slice(0, width - 1)}\u001b[K`);
      else if (group !== shownGroup) stream.write(`${line}\n`);
      isLineOpen = redraws;
      shownGroup = group;
    },
    end,
  };
}

/** What is left of work of which a share took `elapsed` milliseconds. */
function timeLeft(elapsed: number, share: number): string | undefined {
  if (share < LEAST_SHARE || elapsed < LEAST_MS) return undefined;
  const minutes = Math.round((elapsed * (1 - share)) / share / 60_000);
  return minutes === 0 ? 'less than a minute left' : `about ${minutes} min left`;
}
