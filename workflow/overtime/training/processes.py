"""Several processes for one training run, through accelerate's own launcher; each finds its place from its environment."""

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import PrepareForLaunch, patch_environment
from torch.multiprocessing.spawn import ProcessRaisedException, start_processes

from overtime import InputError


def launch(function: Callable[..., None], arguments: tuple[Any, ...], processes: int) -> None:
    """Call a module's function in this process, or in as many new ones as asked for, on this machine.

    Processes are spawned: they import the main script again, which must therefore do its work under `if __name__ == "__main__"`.
    An InputError of any of them is raised here.
    """
    if processes == 1:
        return function(*arguments)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "world_size": processes,
        "local_world_size": processes,
        "master_addr": "127.0.0.1",
        "master_port": port,
        "gloo_socket_ifname": "lo",
    }
    try:
        with patch_environment(**environment):
            start_processes(
                # "MULTI_GPU" makes it tell each process its rank, on processors too.
                PrepareForLaunch(_Share(function, max(1, torch.get_num_threads() // processes)), "MULTI_GPU"),
                arguments,
                nprocs=processes,
                start_method="spawn",
            )
    except ProcessRaisedException as error:
        # Of an error in another process only the text arrives.
        kind, _, message = str(error).strip().splitlines()[-1].partition(": ")
        if kind == f"{InputError.__module__}.{InputError.__name__}":
            raise InputError(message) from error
        raise


@dataclass(frozen=True)
class _Share:
    """What one of the processes does."""

    function: Callable[..., None]
    threads: int

    def __call__(self, *arguments: Any) -> None:
        torch.set_num_threads(self.threads)
        if os.environ["RANK"] == "0":
            logging.basicConfig(level=logging.INFO, format="%(message)s")
        self.function(*arguments)
        PartialState().destroy_process_group()
