import { type ServicesOptions, type Stack, startServices } from '../../local/stack/stack.ts';
import { createDatabase, type TestDatabase } from './database.ts';

export type TestStack = Stack & { database: TestDatabase };

/**
 * REST, functions, gateway and scheduler over a database of its own; `stop` removes that too.
 * Options as those of `startServices`, and `migrations` as that of `createDatabase`. The functions
 * are the project's own; give `functions` to serve another folder.
 */
export async function startTestStack(
  options: ServicesOptions & { migrations?: string } = {},
): Promise<TestStack> {
  const { migrations, ...services } = options;
  const database = await createDatabase(migrations === undefined ? {} : { migrations });
  try {
    const stack = await startServices(
      { databaseUrl: database.url, adminUrl: database.adminUrl },
      { port: 0, ...services },
    );
    const stop = async () => {
      await stack.stop();
      await database.drop();
    };
    return { ...stack, database, stop };
  } catch (error) {
    await database.drop();
    throw error;
  }
}
