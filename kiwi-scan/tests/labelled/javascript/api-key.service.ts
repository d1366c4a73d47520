import { Injectable } from '@nestjs/common';
import { ApiKeyRepository } from './api-key.repository';

const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

@Injectable()
export class ApiKeyService {
  constructor(private readonly repository: ApiKeyRepository) {}

  async issue(accountId: number): Promise<string> {
    let apiKey = '';
    for (let i = 0; i < 32; i += 1) {
      apiKey += ALPHABET.charAt(Math.floor(Math.random() * ALPHABET.length));
    }
    await this.repository.store(accountId, apiKey);
    return apiKey;
  }
}
