import { Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import { InviteRepository } from './invite.repository';

const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

@Injectable()
export class InviteService {
  constructor(private readonly repository: InviteRepository) {}

  async issue(accountId: number): Promise<string> {
    let code = '';
    for (let i = 0; i < 24; i += 1) {
      code += ALPHABET.charAt(randomInt(ALPHABET.length));
    }
    await this.repository.store(accountId, code);
    return code;
  }
}
