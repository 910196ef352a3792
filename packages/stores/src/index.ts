export { DatabaseSessionStore } from './database.ts';
export { type SqliteOptions, SqliteSessionStore } from './sqlite/sqlite-store.ts';
