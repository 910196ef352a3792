/**
 * 24 bits of a turn's id, by which it is found: 12 of a hash, and above them 12 that ascend for a while with the ids
 * that the library makes, so that turns that come at once stand together in their index. Stored, and so for ever.
 */
export function bitsOfId(turnId: string): number {
  // Such ids begin with their time: the sixth and the seventh character tell 62 milliseconds within four minutes.
  const time = (turnId.charCodeAt(5) - 48) * 75 + (turnId.charCodeAt(6) - 48);
  // FNV-1a
  let hash = 0x811c9dc5;
  for (let i = 0; i < turnId.length; i++) {
    hash = Math.imul(hash ^ turnId.charCodeAt(i), 0x01000193);
  }
  return ((time & 4_095) << 12) | ((hash ^ (hash >>> 12) ^ (hash >>> 24)) & 4_095);
}

/** In SQL: where these bits stand in the index. Others of a session may share that place, but none of another one. */
export function placeOfId(key: string, bits: string): string {
  return `(${key} << 24 | ${bits})`;
}

/** The condition that a row of `t` is the turn that a session itself wrote under an id. */
export function isOwnTurn(key: string, turnId: string, bits: string): string {
  return `t.origin = '' AND t.turn_id = ${turnId} AND t.id_place = ${placeOfId(key, bits)}`;
}

/** The same for one of many ids. */
export function isOneOfOwn(key: string, turnIds: string, bits: string): string {
  return `t.origin = '' AND t.turn_id = ANY (${turnIds})
    AND t.id_place = ANY (ARRAY(SELECT ${placeOfId(key, 'b')} FROM unnest(${bits}) AS b))`;
}
