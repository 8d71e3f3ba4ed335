/** The one decision about colours, for headings, marks and borders alike. */
import pc from 'picocolors';

export type Colors = ReturnType<typeof pc.createColors>;

type Stream = { isTTY?: boolean | undefined };

/** Colours on a terminal only, and there not against NO_COLOR, FORCE_COLOR=0 or TERM=dumb. */
export function allowsColors(stream: Stream, env = process.env): boolean {
  const refused = env.NO_COLOR || env.FORCE_COLOR === '0' || env.FORCE_COLOR === 'false';
  return canRedraw(stream, env) && !refused;
}

/** Whether a line that is there can be written anew. */
export const canRedraw = (stream: Stream, env = process.env): boolean =>
  stream.isTTY === true && env.TERM !== 'dumb';

/** For what is printed on stdout. */
export const colors: Colors = pc.createColors(allowsColors(process.stdout));

/** For what is printed on stderr. */
export const stderrColors: Colors = pc.createColors(allowsColors(process.stderr));
