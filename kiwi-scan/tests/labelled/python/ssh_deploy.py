import os

import paramiko


def restart_service(host: str) -> int:
    client = paramiko.SSHClient()
    client.load_system_host_keys()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(host, username="deploy", key_filename=os.environ["DEPLOY_KEY"])
    try:
        _, stdout, _ = client.exec_command("systemctl restart shop")
        return stdout.channel.recv_exit_status()
    finally:
        client.close()
