import { ErrorReply } from 'redis';
import { expect, it } from 'vitest';
import { toSessionError } from '../../src/redis/faults.ts';

it.each([
  [
    '7.0',
    "OOM command not allowed when used memory > 'maxmemory'. script: 8ad5, on @user_script:7.",
  ],
  [
    '6.2',
    "ERR Error running script (call to f_8ad5): @user_script:7: -OOM command not allowed when used memory > 'maxmemory'.",
  ],
])('a script for which a Redis %s has no memory left is told as full', (_, message) => {
  expect(toSessionError(new ErrorReply(message))).toMatchObject({
    name: 'SessionStoreUnavailableError',
    reason: 'full',
  });
});

it('a script that is wrong is told as it is', () => {
  const error = new ErrorReply('ERR Error running script (call to f_8ad5): @user_script:7: x');
  expect(toSessionError(error)).toBe(error);
});
