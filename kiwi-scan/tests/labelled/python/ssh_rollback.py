import os

from paramiko import RejectPolicy, SSHClient


def rollback(host: str) -> int:
    client = SSHClient()
    client.load_host_keys("/etc/deploy/known_hosts")
    client.set_missing_host_key_policy(RejectPolicy())
    client.connect(host, username="deploy", key_filename=os.environ["DEPLOY_KEY"])
    try:
        _, stdout, _ = client.exec_command("/opt/shop/bin/rollback")
        return stdout.channel.recv_exit_status()
    finally:
        client.close()
