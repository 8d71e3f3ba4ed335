/** Options of the repository's commands: what the usage says of each, and what it accepts. */
import { LocalError } from '../stack/errors.ts';

export type Option<Value> = {
  description: string;
  /** What stands for the value in the usage: `<n>`. Without one the option takes no value. */
  placeholder?: string;
  /**
   * The value, from what was given; undefined when the option was not.
   *
   * @throws LocalError usage
   */
  read(given: string | undefined, name: string): Value;
};

export type Options = Record<string, Option<unknown>>;

export type Values<O extends Options> = {
  [Name in keyof O]: O[Name] extends Option<infer Value> ? Value : never;
};

/** The error of a wrong use: the command ends with exit code 2 and names its `--help`. */
export const usageError = (message: string) => new LocalError('usage', message);

export const flag = (description: string): Option<boolean> => ({
  description,
  read: (given) => given !== undefined,
});

export const wholeNumber = (number: {
  description: string;
  default: number;
  from?: number;
  to: number;
}): Option<number> => ({
  description: `${number.description} (default ${number.default})`,
  placeholder: '<n>',
  read(given, name) {
    if (given === undefined) return number.default;
    const { from = 1, to } = number;
    const value = Number(given);
    if (given.trim() !== '' && Number.isInteger(value) && value >= from && value <= to) {
      return value;
    }
    throw usageError(`--${name} takes a whole number from ${from} to ${to}, not ${given}.`);
  },
});

/** The seed of everything random in a run. */
export const seed = (description: string): Option<number> =>
  wholeNumber({ description, default: 1, from: 0, to: 2 ** 32 - 1 });

export const moment = (description: string): Option<Date | undefined> => ({
  description,
  placeholder: '<time>',
  read(given, name) {
    const value = given === undefined ? undefined : new Date(given);
    if (!value || !Number.isNaN(value.getTime())) return value;
    throw usageError(`--${name} takes a time such as 2026-03-01T12:00:00Z, not ${given}.`);
  },
});

export const address = (description: string, example: string): Option<URL | undefined> => ({
  description,
  placeholder: '<url>',
  read: (given) => (given === undefined ? undefined : parseAddress(given, example)),
});

/** @throws LocalError usage */
export function parseAddress(text: string, example: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw usageError(`"${text}" is not an address; it looks like ${example}.`);
}

export const text = (placeholder: string, description: string): Option<string | undefined> => ({
  description,
  placeholder,
  read: (given) => given,
});
