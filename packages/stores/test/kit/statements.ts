import { DatabaseSync, StatementSync } from 'node:sqlite';

type Method = (this: { readonly sourceSQL: string }, ...args: unknown[]) => unknown;

/**
 * Calls `listener` before each statement that this process runs on any database; answers what ends that.
 * A statement is told by its text as it was prepared, without any value.
 */
export function beforeEachStatement(listener: (sql: string) => void): () => void {
  const statement = StatementSync.prototype as unknown as Record<string, Method>;
  const names = ['run', 'get', 'all', 'iterate'] as const;
  const originals = names.map((name) => [name, statement[name] as Method] as const);
  for (const [name, original] of originals) {
    statement[name] = function (...args) {
      listener(this.sourceSQL);
      return original.apply(this, args);
    };
  }
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql) {
    listener(sql);
    return exec.call(this, sql);
  };
  return () => {
    for (const [name, original] of originals) statement[name] = original;
    DatabaseSync.prototype.exec = exec;
  };
}

/** Whether a statement can change the database or ends a transaction. */
export function isWrite(sql: string): boolean {
  return !/^\s*(SELECT|PRAGMA)\b/i.test(sql);
}
