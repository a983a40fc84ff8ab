"""Hadoop (HDFS and YARN, with their audit logs) and Spark.

Sources: Hadoop's log4j.properties, FSNamesystem.java and RMAuditLogger.java; Spark's default
log4j2.properties. Other lines of Hadoop are those of any log4j application (log4j.py).
"""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format, Layout

_OUTCOMES = {"true": "success", "false": "failure", "SUCCESS": "success", "FAILURE": "failure"}
_HEAD = rb"%{ISO8601:time} %{LOGLEVEL:level} +"
_HADOOP = rb"%{BEGIN:logger}(?:org\.apache\.hadoop\.|hdfs\.|SecurityLogger\.)[\w.$]+%{END}"

FORMATS = {
    "hdfs-audit": Format(
        "hdfs-audit",
        (
            Layout(
                _HEAD + rb"%{BEGIN:logger}[\w.$]*FSNamesystem\.audit%{END}(?: \([^)\n]*\))?: "
                rb"%{BEGIN:message}allowed=%{BEGIN:_allowed}true|false%{END}\t"
                rb"ugi=%{BEGIN:user}[^ \t\n(]++%{END}[^\t\n]*+\t"
                rb"ip=(?:/|null)?%{BEGIN:source_address?}[^ \t\n]*+%{END}\t"
                rb"cmd=%{BEGIN:event_action}[^\t\n]*+%{END}\t"
                rb"src=%{BEGIN:file_path}[^\t\n]*+%{END}\t"
                rb"dst=%{BEGIN:target_path}[^\t\n]*+%{END}\t"
                rb"perm=%{BEGIN:permissions}[^\t\n]*+%{END}"
                rb"(?:\t(?:proto|callerContext)=[^\n]*)?%{END}",
                derive=(("event_outcome", "_allowed", _OUTCOMES.get),),
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56,789 INFO FSNamesystem.audit: allowed=tru"
                    b"e\tugi=kim (auth:SIMPLE)\tip=/192.0.2.7\tcmd=open\tsrc=/data/ord"
                    b"ers/part-0\tdst=null\tperm=null\tproto=rpc"
                ),
                {
                    "level": "info",
                    "logger": "FSNamesystem.audit",
                    "message": (
                        "allowed=true\tugi=kim (auth:SIMPLE)\tip=/192.0.2.7\tcmd=ope"
                        "n\tsrc=/data/orders/part-0\tdst=null\tperm=null\tproto=rpc"
                    ),
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "event_action": "open",
                    "time": (1795400216, "789"),
                    "event_outcome": "success",
                    "attributes": {
                        "file_path": "/data/orders/part-0",
                        "target_path": "null",
                        "permissions": "null",
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56,790 INFO org.apache.hadoop.hdfs.server.n"
                    b"amenode.FSNamesystem.audit: allowed=false\tugi=lee@EXAMPLE.OR"
                    b"G (auth:KERBEROS)\tip=/192.0.2.8\tcmd=rename\tsrc=/a\tdst=/b\tper"
                    b"m=lee:users:rw-r--r--\tproto=rpc"
                ),
                {
                    "level": "info",
                    "logger": "org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit",
                    "message": (
                        "allowed=false\tugi=lee@EXAMPLE.ORG (auth:KERBEROS)\tip=/19"
                        "2.0.2.8\tcmd=rename\tsrc=/a\tdst=/b\tperm=lee:users:rw-r--r-"
                        "-\tproto=rpc"
                    ),
                    "user": "lee@EXAMPLE.ORG",
                    "source_address": "192.0.2.8",
                    "event_action": "rename",
                    "time": (1795400216, "790"),
                    "event_outcome": "failure",
                    "attributes": {
                        "file_path": "/a",
                        "target_path": "/b",
                        "permissions": "lee:users:rw-r--r--",
                    },
                },
            ),
        ),
    ),
    "yarn-audit": Format(
        "yarn-audit",
        (
            Layout(
                _HEAD + rb"%{BEGIN:logger}[\w.$]+AuditLogger%{END}: "
                rb"%{BEGIN:message}USER=%{BEGIN:user}[^\t\n]++%{END}\t"
                rb"(?:IP=%{BEGIN:source_address?}[^\t\n]++%{END}\t)?"
                rb"OPERATION=%{BEGIN:event_action}[^\t\n]++%{END}\tTARGET=%{BEGIN:target}[^\t\n]++%{END}"
                rb"\tRESULT=%{WORD:_result}(?:\tDESCRIPTION=%{BEGIN:error_message?}[^\t\n]++%{END})?"
                rb"(?:\tPERMISSIONS=[^\t\n]++)?(?:\tAPPID=%{BEGIN:application?}[^\t\n]++%{END})?"
                rb"[^\n]*%{END}",
                derive=(("event_outcome", "_result", _OUTCOMES.get),),
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56,789 INFO org.apache.hadoop.yarn.server.r"
                    b"esourcemanager.RMAuditLogger: USER=kim\tIP=192.0.2.7\tOPERATIO"
                    b"N=Submit Application Request\tTARGET=ClientRMService\tRESULT=S"
                    b"UCCESS\tAPPID=application_1795400000000_0042"
                ),
                {
                    "level": "info",
                    "logger": "org.apache.hadoop.yarn.server.resourcemanager.RMAuditLogger",
                    "message": (
                        "USER=kim\tIP=192.0.2.7\tOPERATION=Submit Application Reque"
                        "st\tTARGET=ClientRMService\tRESULT=SUCCESS\tAPPID=applicati"
                        "on_1795400000000_0042"
                    ),
                    "user": "kim",
                    "source_address": "192.0.2.7",
                    "event_action": "Submit Application Request",
                    "time": (1795400216, "789"),
                    "event_outcome": "success",
                    "attributes": {
                        "target": "ClientRMService",
                        "application": "application_1795400000000_0042",
                    },
                },
            ),
            (
                (
                    b"2026-11-23 02:16:57,000 WARN org.apache.hadoop.yarn.server.n"
                    b"odemanager.NMAuditLogger: USER=lee\tOPERATION=Container Finis"
                    b"hed - Failed\tTARGET=ContainerImpl\tRESULT=FAILURE\tDESCRIPTION"
                    b"=Container failed with state: EXITED_WITH_FAILURE\tAPPID=appl"
                    b"ication_1795400000000_0042\tCONTAINERID=container_1"
                ),
                {
                    "level": "warn",
                    "logger": "org.apache.hadoop.yarn.server.nodemanager.NMAuditLogger",
                    "message": (
                        "USER=lee\tOPERATION=Container Finished - Failed\tTARGET=Co"
                        "ntainerImpl\tRESULT=FAILURE\tDESCRIPTION=Container failed "
                        "with state: EXITED_WITH_FAILURE\tAPPID=application_179540"
                        "0000000_0042\tCONTAINERID=container_1"
                    ),
                    "user": "lee",
                    "event_action": "Container Finished - Failed",
                    "error_message": "Container failed with state: EXITED_WITH_FAILURE",
                    "time": (1795400217, "000"),
                    "event_outcome": "failure",
                    "attributes": {
                        "target": "ContainerImpl",
                        "application": "application_1795400000000_0042",
                    },
                },
            ),
        ),
    ),
    "hadoop": Format(
        "hadoop",
        (
            Layout(_HEAD + _HADOOP + rb": %{REST:message}"),
            Layout(_HEAD + rb"\[%{BRACKETED:thread}\] " + _HADOOP + rb": %{REST:message}"),
            # 081109 203615 148 INFO dfs.DataNode$PacketResponder: ... of Hadoop before 0.21
            Layout(
                rb"%{COMPACTDATE:time} %{INT:thread_id} %{LOGLEVEL:level} "
                rb"%{BEGIN:logger}[\w.$]+%{END}: %{REST:message}"
            ),
        ),
        samples=(
            (
                (
                    b"2026-11-23 02:16:56,789 INFO org.apache.hadoop.hdfs.server.d"
                    b"atanode.DataNode: Receiving BP-1 src: /192.0.2.7:50010 dest:"
                    b" /192.0.2.8:50010"
                ),
                {
                    "level": "info",
                    "logger": "org.apache.hadoop.hdfs.server.datanode.DataNode",
                    "message": "Receiving BP-1 src: /192.0.2.7:50010 dest: /192.0.2.8:50010",
                    "time": (1795400216, "789"),
                },
            ),
            (
                (
                    b"2026-11-23 02:16:56,790 WARN [main] org.apache.hadoop.util.N"
                    b"ativeCodeLoader: Unable to load native-hadoop library"
                ),
                {
                    "level": "warn",
                    "thread": "main",
                    "logger": "org.apache.hadoop.util.NativeCodeLoader",
                    "message": "Unable to load native-hadoop library",
                    "time": (1795400216, "790"),
                },
            ),
            (
                (
                    b"081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketR"
                    b"esponder 1 for block blk_38865049064139660 terminating"
                ),
                {
                    "thread_id": 148,
                    "level": "info",
                    "logger": "dfs.DataNode$PacketResponder",
                    "message": ("PacketResponder 1 for block blk_38865049064139660 terminating"),
                    "time": (1226262975, ""),
                },
            ),
        ),
    ),
    "spark": Format(
        "spark",
        (Layout(rb"%{SHORTYEAR:time} %{LOGLEVEL:level} +%{LOGGER:logger}: %{REST:message}"),),
        samples=(
            (
                (b"26/11/23 02:16:56 INFO SparkContext: Running Spark version 3.5.0"),
                {
                    "level": "info",
                    "logger": "SparkContext",
                    "message": "Running Spark version 3.5.0",
                    "time": (1795400216, ""),
                },
            ),
            (
                (
                    b"26/11/23 02:16:57 WARN TaskSetManager: Lost task 0.0 in stag"
                    b"e 0.0 (TID 0) (10.0.0.5 executor 1): java.lang.OutOfMemoryEr"
                    b"ror"
                ),
                {
                    "level": "warn",
                    "logger": "TaskSetManager",
                    "message": (
                        "Lost task 0.0 in stage 0.0 (TID 0) (10.0.0.5 executor 1)"
                        ": java.lang.OutOfMemoryError"
                    ),
                    "time": (1795400217, ""),
                },
            ),
            (
                (
                    b"26/11/23 02:16:57 ERROR org.apache.spark.executor.Executor: "
                    b"Exception in task 1.0"
                ),
                {
                    "level": "error",
                    "logger": "org.apache.spark.executor.Executor",
                    "message": "Exception in task 1.0",
                    "time": (1795400217, ""),
                },
            ),
        ),
    ),
}
