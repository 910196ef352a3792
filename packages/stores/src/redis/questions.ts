import type { Need, Owner } from '@lexigram/ai-session/store';
import { variablesInterval } from '@lexigram/ai-session/store';
import type { Keys } from './keys.ts';
import { numberOf, upTo } from './rows.ts';

/** A question to the script that loads; `home` is what the keys begin with that it looks at. */
export interface Question {
  readonly home: string;
  readonly words: readonly (string | number)[];
}

/** What the script is asked for a need. */
export function questionsOf(
  keys: Keys,
  now: number,
  sessionId: string,
  need: Need,
): readonly Question[] {
  const home = keys.base(sessionId);
  const own = (...words: Question['words']): readonly Question[] => [{ home, words }];
  switch (need.need) {
    case 'open': {
      const open = keys.owner(need.owner, 'open');
      return ofOwner(
        keys,
        now,
        need.owner,
        ['ZCOUNT', open, `(${now}`, '+inf'],
        ['ZRANGEBYSCORE', open, '-inf', now, 'LIMIT', 0, need.limit],
      );
    }
    case 'spent':
      return ofOwner(keys, now, need.owner, ['GET', keys.owner(need.owner, 'spent')]);
    case 'timeline': {
      const base = baseOf(keys, need.timelineId);
      return [{ home: base, words: ['HGET', `${base}tl`, numberOf(need.timelineId)] }];
    }
    case 'turn':
      return own('turn', need.turnId);
    case 'lastTurn':
      return own('lastTurn', numberOf(need.timelineId));
    case 'variables': {
      const { timelineId } = need.at;
      const base = baseOf(keys, timelineId);
      const key = `${base}v:${numberOf(timelineId)}`;
      const range = [`[${upTo(need.at)}`, '-', 'LIMIT', 0, variablesInterval + 1];
      return [{ home: base, words: ['ZREVRANGEBYLEX', key, ...range] }];
    }
    case 'record':
      return own('record', need.kind, need.key);
    case 'labelled':
      return own('labelled', need.kind, need.label);
    case 'mark':
      return own('mark', need.n);
    case 'marks': {
      const range = [`(${need.above}`, '+inf', 'WITHSCORES', 'LIMIT', 0, need.limit];
      return own('ZRANGEBYSCORE', `${home}m`, ...range);
    }
    case 'oldest':
      return own('ZRANGE', `${home}u:checkpoint`, 0, need.limit - 1);
    case 'count':
      return own('HLEN', `${home}r:${need.kind}`);
  }
}

/** Questions about an owner, behind those about the version and about what is reserved. */
function ofOwner(
  keys: Keys,
  now: number,
  owner: Owner,
  ...more: readonly Question['words'][]
): readonly Question[] {
  const home = keys.userRegister(owner.userId);
  const reserved = keys.owner(owner, 'reserved');
  const words: readonly Question['words'][] = [
    ['GET', keys.owner(owner, 'version')],
    ['ZRANGEBYSCORE', reserved, `(${now}`, '+inf'],
    ...more,
  ];
  return words.map((words) => ({ home, words }));
}

function baseOf(keys: Keys, timelineId: string): string {
  return keys.base(timelineId.slice(0, timelineId.lastIndexOf('.')));
}
