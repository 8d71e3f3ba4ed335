/** What the code needs of the database. The generated list must have exactly the names of the types. */
import type { Database } from './types.ts';

type Public = Database['public'];

/** `type` as Postgres' format_type gives it. Every column of a view is nullable. */
export type Column = { type: string; nullable: boolean };

/** `arguments` with names, types and defaults, as pg_get_function_arguments gives them. */
export type FunctionSignature = { arguments: string; result: string; security_definer: boolean };

type RelationsOf<Named extends Record<string, { Row: object }>> = {
  [Name in keyof Named]: Record<keyof Named[Name]['Row'], Column>;
};

/** What schema public holds, by name; a function has one signature for each of its overloads. */
export type DatabaseSchema = {
  tables: RelationsOf<Public['Tables']>;
  views: RelationsOf<Public['Views']>;
  functions: Record<keyof Public['Functions'], FunctionSignature[]>;
};
