import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newSecretKey } from '../foundation/index.ts';
import { callbackSecret } from './callback-secret.ts';
import { signStandardWebhook, verifyStandardWebhook } from './standard-webhook.ts';

const secret = callbackSecret(newSecretKey(), 'tsk_1');
const now = new Date('2026-11-21T08:00:00Z');
const seconds = now.getTime() / 1_000;

function signed(options: { body?: string; at?: number; secret?: string; id?: string } = {}) {
  const { body = '{"state":"SUCCEEDED"}', at = seconds, id = 'msg_1' } = options;
  const timestamp = String(at);
  const signature = signStandardWebhook({ secret: options.secret ?? secret, id, timestamp, body });
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  return { secret, headers, body, now };
}

describe('verifyStandardWebhook', () => {
  it('agrees with the example that the libraries of Standard Webhooks test against', () => {
    const message = {
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: '{"test": 2432232314}',
    };
    expect(signStandardWebhook(message)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('takes any body, as text or as bytes, and gives the id to refuse repetitions by', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (body) => {
        const message = signed({ body });
        const asBytes = { ...message, body: new TextEncoder().encode(body) };
        const verdict = { valid: true, id: 'msg_1', timestamp: now };
        expect(verifyStandardWebhook(asBytes)).toEqual(verdict);
        if (body.isWellFormed()) expect(verifyStandardWebhook(message)).toEqual(verdict);
      }),
    );
  });

  it('refuses what was changed, signed with another key, or signed for another task', () => {
    const message = signed();
    const other = callbackSecret(newSecretKey(), 'tsk_1');
    const refused = { valid: false, reason: 'signature-wrong' };
    expect(verifyStandardWebhook({ ...message, body: `${message.body} ` })).toEqual(refused);
    expect(verifyStandardWebhook({ ...message, secret: other })).toEqual(refused);
    expect(
      verifyStandardWebhook({ ...message, headers: { ...message.headers, 'webhook-id': 'msg_2' } }),
    ).toEqual(refused);
    for (const signature of [
      'v1,',
      'v1',
      'v1a,AAAA',
      ' ',
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    ]) {
      const headers = { ...message.headers, 'webhook-signature': signature };
      expect(verifyStandardWebhook({ ...message, headers })).toEqual(refused);
    }
  });

  it('takes one fitting signature among several, so that a sender can change its key', () => {
    const message = signed();
    const old = signed({ secret: callbackSecret(newSecretKey(), 'tsk_1') });
    const both = `${old.headers['webhook-signature']} v1a,AAAA ${message.headers['webhook-signature']}`;
    const headers = { ...message.headers, 'webhook-signature': both };
    expect(verifyStandardWebhook({ ...message, headers })).toMatchObject({ valid: true });
  });

  it('takes a message within five minutes either way, and none beyond', () => {
    for (const at of [seconds - 300, seconds, seconds + 300]) {
      expect(verifyStandardWebhook(signed({ at }))).toMatchObject({ valid: true });
    }
    for (const at of [seconds - 301, seconds + 301, 0, Number.NaN, 1e300]) {
      expect(verifyStandardWebhook(signed({ at }))).toEqual({ valid: false, reason: 'timestamp-off' });
    }
  });

  it('refuses a message that lacks a header or has it twice', () => {
    const message = signed();
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const) {
      for (const value of [undefined, '', [message.headers[name], message.headers[name]]]) {
        const headers = { ...message.headers, [name]: value };
        expect(verifyStandardWebhook({ ...message, headers })).toEqual({
          valid: false,
          reason: 'header-missing',
        });
      }
    }
  });
});

describe('callbackSecret', () => {
  it('is the same for the same task and master key, and different for any other', () => {
    const masterKey = newSecretKey();
    expect(callbackSecret(masterKey, 'tsk_1')).toBe(callbackSecret(masterKey, 'tsk_1'));
    expect(callbackSecret(masterKey, 'tsk_1')).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(callbackSecret(masterKey, 'tsk_1')).not.toBe(callbackSecret(masterKey, 'tsk_2'));
    expect(callbackSecret(masterKey, 'tsk_1')).not.toBe(callbackSecret(newSecretKey(), 'tsk_1'));
  });
});
