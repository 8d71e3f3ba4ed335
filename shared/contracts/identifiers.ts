import { z } from 'zod';

/** A tweet id: decimal digits as text, because ids exceed what a JavaScript number can hold. */
export const postIdSchema = z
  .string()
  .regex(/^[0-9]{1,20}$/, 'must be the digits of a post id, as a string');

/** The key of a decision. Postloop mints UUIDs; older databases may hold other text. */
export const decisionIdSchema = z.string().min(1).max(200);

/** An X handle without the `@`. */
export const handleSchema = z
  .string()
  .regex(/^[A-Za-z0-9_]{1,15}$/, 'must be an X handle without the @');

/** A moment as ISO 8601 text with an offset, the form in which every JSON edge carries time. */
export const momentSchema = z.iso.datetime({ offset: true });

/** A count that X showed; null means that it was not read. */
export const countSchema = z.int().nonnegative().nullable();

/** One value per dimension, by dimension name, for example `{ "tone": "dry" }`. */
export const dimensionValuesSchema = z.record(
  z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be the name of a dimension'),
  z.string().min(1).max(200),
);
export type DimensionValues = z.infer<typeof dimensionValuesSchema>;

/** What a post is to its reader: kinds are strata, never mixed silently. */
export const postKindSchema = z.enum(['single', 'thread', 'reply']);
export type PostKind = z.infer<typeof postKindSchema>;
