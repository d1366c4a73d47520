import React, { FormEvent, useState } from 'react';

const PASSWORD_FIELD = 'password';
const passwordLabel = 'Password (at least 12 characters)';

export function LoginForm({ onLogin }: { onLogin: (email: string, password: string) => Promise<void> }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');

  async function submit(event: FormEvent) {
    event.preventDefault();
    await onLogin(email, password);
    setPassword('');
  }

  return (
    <form onSubmit={submit}>
      <input type="email" value={email} onChange={(e) => setEmail(e.target.value)} />
      <label htmlFor={PASSWORD_FIELD}>{passwordLabel}</label>
      <input id={PASSWORD_FIELD} type="password" value={password} onChange={(e) => setPassword(e.target.value)} />
      <button type="submit">Log in</button>
    </form>
  );
}
