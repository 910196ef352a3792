/**
 * The limits of sizes, depths and numbers that do not come from the configuration.
 * Bytes are UTF-8 bytes of the compact JSON text, characters are UTF-16 code units.
 */
export const limits = {
  /** Characters of a session id. */
  sessionId: 128,
  /** Characters of a turn id, an agent's name, a branch's name. */
  name: 128,
  /** Characters of a user id, a tenant id, a speaker's name, a model, a provider. */
  text: 256,
  /** Characters of a checkpoint's label. */
  label: 128,
  /** Characters of an operation id. */
  operationId: 255,
  /** Characters of a tool call's id and of a tool's name. */
  toolCall: 512,
  /** Bytes of one turn, everything in it counted. */
  turnBytes: 1_048_576,
  /** Levels of nesting in a turn, and in variables. */
  depth: 32,
  /** Turns of one batch, and their bytes in all. */
  batchTurns: 100,
  batchBytes: 4_194_304,
  /** Tool calls of one turn, and agents named by `visibleTo` or `hiddenFrom`. */
  toolCalls: 1_000,
  agents: 1_000,
  metadataBytes: 16_384,
  metadataKeys: 64,
  metadataDepth: 8,
  /** Characters of a top-level key of a session's metadata. */
  metadataKey: 64,
  variablesBytes: 65_536,
  variablesKeys: 1_000,
  /** Memories that a consolidation leaves of a session, and bytes of one. */
  memories: 100,
  memoryBytes: 8_192,
  /** Characters of the reason given with a close. */
  reason: 256,
  /** Pinned turns of a session. */
  pins: 100,
  /** Bytes of a summary. */
  summaryBytes: 65_536,
  /** Items of a page if the caller names no number, and at most. */
  page: 100,
  pageMax: 1_000,
  /** Characters of a cursor. */
  cursor: 256,
  /** Characters of a cursor that holds a text of a caller's. */
  textCursor: 8_192,
  /** USD of one turn. */
  turnCost: 1_000_000,
} as const;
