export { type SqliteOptions, SqliteSessionStore } from './sqlite-store.ts';
