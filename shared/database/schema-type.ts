/** What the code needs of the database. The generated list must have exactly the names of the types. */
import type { Database } from './types.ts';

type Public = Database['public'];

/** `type` as Postgres' format_type gives it. Every column of a view is nullable. */
export type Column = { type: string; nullable: boolean };

/** `arguments` with names, types and defaults, as pg_get_function_arguments gives them. */
export type FunctionSignature = { arguments: string; result: string; security_definer: boolean };

type Relations = Record<string, Record<string, Column>>;
type RelationsOf<Named extends Record<string, { Row: object }>> = {
  [Name in keyof Named]: Record<keyof Named[Name]['Row'], Column>;
};

/** By schema and name; a function has one signature for each of its overloads. */
export type DatabaseSchema = {
  tables: { public: RelationsOf<Public['Tables']>; postloop: Relations };
  views: { public: RelationsOf<Public['Views']>; postloop?: Relations };
  functions: {
    public: Record<keyof Public['Functions'], FunctionSignature[]>;
    postloop: Record<string, FunctionSignature[]>;
  };
  cron_jobs: Record<string, { schedule: string; command: string }>;
};
